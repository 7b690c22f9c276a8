-- Takes or renews a node's lease, unless a later incarnation holds it: a node that was killed and starts again takes its
-- own lease over at once, and the dead one, should it wake up, finds that it was succeeded.
--
-- KEYS[1]  node:<node>
-- ARGV[1]  incarnation, the time of the start in milliseconds
-- ARGV[2]  TTL in seconds
-- ARGV[3]  address
-- ARGV[4]  state
-- ARGV[5]  connections
-- ARGV[6]  since
-- ARGV[7]  proof of incarnation and address
-- ARGV[8]  digest of an incarnation that gives way, though it is later: it was not proven
--
-- Returns 1: it is this incarnation's; {incarnation, address, proof, digest}: a later one holds it.

local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end

local holder = redis.call('HGET', KEYS[1], 'incarnation')
local number = holder and tonumber(holder)
if number and number > tonumber(ARGV[1]) then
    local digest = redis.sha1hex(holder)
    if digest ~= ARGV[8] then
        local rest = redis.call('HMGET', KEYS[1], 'address', 'proof')
        return {holder, rest[1], rest[2], digest}
    end
end
redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'address', ARGV[3], 'state', ARGV[4], 'connections', ARGV[5],
    'since', ARGV[6], 'proof', ARGV[7])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
