--[[
  Adds one session to one index, or moves its expiry there. Lets the index end after its last entry: when its end has to
  move by a twelfth of the grace, it moves, and entries that ended long ago are dropped. Not at each login.
  Mirrors the SADD to a principal's set of Spring Session's RedisIndexedSessionRepository, whose sets never shrink.
  Input:
    KEYS[1] sorted set of the sessions with this value, by expiry
    ARGV[1] entry
    ARGV[2] its expiry, epoch ms, or '+inf' for never
    ARGV[3] entries that expired before are dropped, epoch ms
    ARGV[4] ms that entries are kept after their expiry
    ARGV[5] latest moment at which the session may be added, epoch ms on the clock of this server
  Output, now = epoch ms on the clock of this server:
    now - added
    {-2, now} - too late: nothing was added
]]
local indexKey = KEYS[1]
local entry, expiry, dropBefore, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local latest = tonumber(ARGV[5])

local now = serverNow()
if now > latest then
  return { -2, now }
end

local left = redis.call('PTTL', indexKey)
redis.call('ZADD', indexKey, expiry, entry)
if left == -2 and expiry ~= '+inf' then
  redis.call('PEXPIREAT', indexKey, string.format('%.0f', expiry + grace))
elseif left < 0 or now + left < tonumber(expiry) + grace * 11 / 12 then
  redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', '(' .. dropBefore)
  endAfterLastEntry(indexKey, grace)
end
return now
