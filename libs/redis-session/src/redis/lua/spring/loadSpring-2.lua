--[[
  Reads a session in Spring's keys and, if asked to, records the access and renews its times to live. Not for Redis Cluster:
  the names of the buckets follow from the hash.
  Mirrors findById of both Redis repositories of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1] session hash
    KEYS[2] shadow key of the indexed repository
    ARGV[1] now on the clock of the caller, epoch ms: a session whose end has come is none
    ARGV[2] latest moment at which the access may be recorded, epoch ms on the clock of this server
    ARGV[3] access time to record, epoch ms, or '' to record none
    ARGV[4] ms between two records of the access, '0' = record every one
    ARGV[5] what the names of the buckets begin with, or '' for the default repository
    ARGV[6] session id
  Output, now = epoch ms on the clock of this server:
    {1, now, fields} - names and values in turn as they are after the access; a hash without valid times comes as it is
    {2, now} - a newer login has taken its place
    {3, now} - there is none
    {-2, now} - too late: nothing was read or written
]]
local sessionKey, shadowKey = KEYS[1], KEYS[2]
local clientNow, latest, accessTime = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local touchInterval, buckets, id = tonumber(ARGV[4]), ARGV[5], ARGV[6]

local now = serverNow()
if now > latest then
  return { -2, now }
end

local created, accessed, interval, isReplaced = springTimes(sessionKey)
if not created then
  local hash = redis.call('HGETALL', sessionKey)
  if #hash == 0 then
    return { 3, now }
  end
  return { 1, now, hash }
end
local expiry = springExpiry(created, accessed, interval)
if expiry <= clientNow then
  return { 3, now }
end
if isReplaced then
  return { 2, now }
end
local newExpiry = springExpiry(created, accessTime or accessed, interval)
local isDue = accessTime and accessTime > accessed and accessTime - accessed >= touchInterval
if isDue and expireKeyAt(sessionKey, newExpiry + (buckets == '' and 0 or 300000)) then
  redis.call('HSET', sessionKey, 'lastAccessedTime', ARGV[3])
  if interval > 0 then
    local keys = { session = sessionKey, shadow = shadowKey, buckets = buckets, member = springMember('expires:' .. id) }
    keepSpringSession(keys, newExpiry, expiry)
  end
end
return { 1, now, redis.call('HGETALL', sessionKey) }
