-- Takes tokens out of a bucket that all nodes share, or gives them back. Time is Redis' own, so that the nodes' clocks do not matter.
--
-- KEYS[1]  limit:{<who>}:<what>
-- ARGV[1]  capacity
-- ARGV[2]  milliseconds until one token comes back
-- ARGV[3]  tokens to take, as many as there are
-- ARGV[4]  none is taken where there are fewer than these
-- ARGV[5]  tokens that were spent already: charged before, whatever there is; below zero: given back
-- ARGV[6]  the largest debt that this leaves
--
-- Returns how many were taken, and where none was: after how many milliseconds there would be enough.

local capacity, interval, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local least, spent, debt = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local tokens, at = capacity, now
local bucket = redis.call('GET', KEYS[1])
if bucket then
    local kept, since = string.match(bucket, '^tokens=(%S+) at=(%S+)$')
    if tonumber(kept) and tonumber(since) then tokens, at = tonumber(kept), tonumber(since) end
end
tokens = math.min(capacity, tokens + math.max(0, now - at) / interval)
tokens = math.min(capacity, math.max(-debt, tokens - spent))

local taken, wait = 0, 0
if tokens >= least then
    taken = math.min(wanted, math.floor(tokens))
    tokens = tokens - taken
else
    wait = math.max(1, math.ceil((least - tokens) * interval))
end
-- A full bucket is the same as none.
local ttl = math.max(1, math.ceil((capacity - tokens) * interval))
redis.call('SET', KEYS[1], string.format('tokens=%.3f at=%.0f', tokens, now), 'PX', string.format('%.0f', ttl))
return {taken, wait}
