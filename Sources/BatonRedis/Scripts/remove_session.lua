-- Removes a device's session if it is still this very one.
--
-- KEYS[1]  session:{<user>}
-- ARGV[1]  field: the device
-- ARGV[2]  value: the whole session
-- ARGV[3]  how a value of the same node and incarnation begins
--
-- Returns {remaining, held}: how many sessions the user has left, and 1 where another session of the same node and
-- incarnation holds the field now (so that the node's index must keep the device), else 0.

local current = redis.call('HGET', KEYS[1], ARGV[1])
if current then current = string.gsub(current, ' renewed=%d+$', '') end
local held = 0
if current == ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
elseif current and string.sub(current, 1, #ARGV[3]) == ARGV[3] then
    held = 1
end
return {redis.call('HLEN', KEYS[1]), held}
