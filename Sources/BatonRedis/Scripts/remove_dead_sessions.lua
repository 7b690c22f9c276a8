-- Removes a user's sessions that a dead node wrote.
--
-- KEYS[1]  session:{<user>}
-- ARGV[1]  how a value of that node and incarnation begins
--
-- Returns how many sessions the user has left.

local sessions = redis.call('HGETALL', KEYS[1])
for index = 1, #sessions, 2 do
    if string.sub(sessions[index + 1], 1, #ARGV[1]) == ARGV[1] then
        redis.call('HDEL', KEYS[1], sessions[index])
    end
end
return redis.call('HLEN', KEYS[1])
