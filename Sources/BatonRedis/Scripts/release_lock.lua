-- Gives a lock up, if it is still held by this holder.
--
-- KEYS[1]  lock:<what>
-- ARGV[1]  holder
--
-- Returns 1: given up; 0: it was not this holder's.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
