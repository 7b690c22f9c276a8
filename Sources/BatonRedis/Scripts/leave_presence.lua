-- Sets a user offline who has no session left anywhere. "Last seen" becomes now only where the user was online: one
-- whose presence ran out was last seen with the last heartbeat.
--
-- KEYS[1]  session:{<user>}
-- KEYS[2]  presence:{<user>}
-- KEYS[3]  lastseen:{<user>}
-- ARGV[1]  now
--
-- Returns 1: the user is offline; 0: a session is there.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('DEL', KEYS[2]) == 1 or redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('SET', KEYS[3], ARGV[1])
end
return 1
