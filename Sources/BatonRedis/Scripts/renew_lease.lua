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
--
-- Returns 1: it is this incarnation's; 0: a later one holds it.

local holder = redis.call('HGET', KEYS[1], 'incarnation')
if holder and tonumber(holder) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'address', ARGV[3], 'state', ARGV[4], 'connections', ARGV[5],
    'since', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
