--[[
  Adds one session to one index, or moves its expiry there. Drops entries that ended long ago, and lets the index end
  with its last entry.
  Mirrors the SADD to a principal's set of Spring Session's RedisIndexedSessionRepository, whose sets never shrink.
  Input:
    KEYS[1] sorted set of the sessions with this value, by expiry
    ARGV[1] entry
    ARGV[2] its expiry, epoch ms, or '+inf' for never
    ARGV[3] entries that expired before are dropped, epoch ms
    ARGV[4] ms that entries are kept after their expiry
    ARGV[5] latest moment at which the session may be added, epoch ms on the clock of this server
  Output, now = epoch ms on the clock of this server:
    {1, now} - added
    {-2, now} - too late: nothing was added
]]
local indexKey = KEYS[1]
local entry, expiry, dropBefore, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local latest = tonumber(ARGV[5])

local now = serverNow()
if now > latest then
  return { -2, now }
end

redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', '(' .. dropBefore)
redis.call('ZADD', indexKey, expiry, entry)
local last = redis.call('ZREVRANGE', indexKey, 0, 0, 'WITHSCORES')
if last[2] == 'inf' then
  redis.call('PERSIST', indexKey)
else
  redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + grace))
end
return { 1, now }
