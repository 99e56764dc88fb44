--[[
  Reads a session that Spring has written by Java serialization and, if asked to, records the access and renews its times to
  live, with either repository of Spring: a shadow key tells that it is the indexed one. Not for Redis Cluster: the names of the
  buckets follow from the hash.
  Mirrors findById of both Redis repositories of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1] session hash
    KEYS[2] shadow key of the indexed repository
    ARGV[1] now on the clock of the caller, epoch ms: a session whose end has come is none
    ARGV[2] latest moment at which the access may be recorded, epoch ms on the clock of this server
    ARGV[3] access time to record, epoch ms, or '' to record none
    ARGV[4] ms between two records of the access, '0' = record every one
    ARGV[5] what the names of the buckets begin with
    ARGV[6] session id
  Output, now = epoch ms on the clock of this server:
    {1, now, created, accessed, interval, fields} - times as decimal texts; names and values of the fields in turn
    {3, now} - there is none, or none with valid times, or it is over
    {-2, now} - too late: nothing was read or written
]]
local sessionKey, shadowKey = KEYS[1], KEYS[2]
local clientNow, latest, accessTime = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local touchInterval, buckets, id = tonumber(ARGV[4]), ARGV[5], ARGV[6]

local now = serverNow()
if now > latest then
  return { -2, now }
end

local created, accessed, interval, isOver = jdkTimes(sessionKey)
if not created or isOver then
  return { 3, now }
end
local expiry = springExpiry(created, accessed, interval)
if expiry <= clientNow then
  return { 3, now }
end
if redis.call('EXISTS', shadowKey) == 0 then
  buckets = ''
end
local newExpiry = springExpiry(created, accessTime or accessed, interval)
local isDue = accessTime and accessTime > accessed and accessTime - accessed >= touchInterval
if isDue and expireKeyAt(sessionKey, newExpiry + (buckets == '' and 0 or 300000)) then
  local head = string.sub(redis.call('HGET', sessionKey, 'lastAccessedTime'), 1, -9)
  redis.call('HSET', sessionKey, 'lastAccessedTime', head .. struct.pack('>i8', accessTime))
  accessed = accessTime
  if interval > 0 then
    local keys = { session = sessionKey, shadow = shadowKey, buckets = buckets, member = jdkMember('expires:' .. id) }
    keepSpringSession(keys, newExpiry, expiry)
  end
end
local function text(number)
  return string.format('%.0f', number)
end
return { 1, now, text(created), text(accessed), text(interval), redis.call('HGETALL', sessionKey) }
