-- Gives a node's lease up, if it is still this incarnation's.
--
-- KEYS[1]  node:<node>
-- ARGV[1]  incarnation
--
-- Returns 1: given up; 0: it was not this incarnation's.

if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
