-- Takes tokens out of a bucket that all nodes share, or gives them back. Time is Redis' own, so that the nodes' clocks do not matter.
--
-- KEYS[1]  limit:{<who>}:<what>
-- ARGV[1]  capacity
-- ARGV[2]  milliseconds until one token comes back
-- ARGV[3]  tokens to take; below zero: to give back
--
-- Returns 0: taken; more: refused, and after so many milliseconds there would be enough.

local capacity, interval, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local tokens, at = capacity, now
local bucket = redis.call('GET', KEYS[1])
if bucket then
    local kept, since = string.match(bucket, '^tokens=(%S+) at=(%S+)$')
    if tonumber(kept) and tonumber(since) then tokens, at = tonumber(kept), tonumber(since) end
end
tokens = math.min(capacity, tokens + math.max(0, now - at) / interval)

local refusal = 0
if tokens >= wanted then
    tokens = math.min(capacity, tokens - wanted)
else
    refusal = math.max(1, math.ceil((wanted - tokens) * interval))
end
-- A full bucket is the same as none.
local ttl = math.max(1, math.ceil((capacity - tokens) * interval))
redis.call('SET', KEYS[1], string.format('tokens=%.3f at=%.0f', tokens, now), 'PX', string.format('%.0f', ttl))
return refusal
