-- Writes a device's session, unless a newer connection of the device holds it. Registering and renewing are the same
-- act: a renewal that finds nothing (Redis was emptied) or an older connection writes anew.
--
-- Behind a session stands when it was last written, in seconds of Redis' own clock. The hash lives as long as any device of
-- the user; so who writes takes out what nobody has renewed for the TTL: a node may have died that no lease told of.
--
-- KEYS[1]  session:{<user>}
-- ARGV[1]  field: the device
-- ARGV[2]  value: the whole session
-- ARGV[3]  its generation, 13 characters that sort bytewise
-- ARGV[4]  TTL in seconds
--
-- Returns 0: nothing was there; 1: this very session was there; 2: an older one was displaced; 3: another one holds it
-- that is not older. Connections that the store could not count are all equally old.

-- Bytewise: Lua's own comparison follows the server's locale.
local function newer(left, right)
    for index = 1, #left do
        local a, b = string.byte(left, index), string.byte(right, index) or 0
        if a ~= b then return a > b end
    end
    return false
end

local now, ttl = tonumber(redis.call('TIME')[1]), tonumber(ARGV[4])
local sessions = redis.call('HGETALL', KEYS[1])
local current
for index = 1, #sessions, 2 do
    local renewed = tonumber(string.match(sessions[index + 1], ' renewed=(%d+)$'))
    if renewed and now - renewed > ttl then
        redis.call('HDEL', KEYS[1], sessions[index])
    elseif sessions[index] == ARGV[1] then
        current = string.gsub(sessions[index + 1], ' renewed=%d+$', '')
    end
end

local outcome = 0
if current == ARGV[2] then
    outcome = 1
elseif current then
    local generation = string.match(current, 'generation=(%S+)')
    if generation and not newer(ARGV[3], generation) then return 3 end
    outcome = 2
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. string.format(' renewed=%.0f', now))
redis.call('EXPIRE', KEYS[1], ttl)
return outcome
