--[[
  Notes in Spring's keys when a session ends: the shadow key, whose end Redis reports, and the bucket of the minute in
  which it is to be looked at. Not for Redis Cluster: the name of the bucket follows from the hash.
  Mirrors MinuteBasedRedisSessionExpirationStore of Spring Session; a bucket gets its time to live after its first member,
  so that it has one, and a session that never expires keeps its shadow key.
  Input:
    KEYS[1] session hash
    KEYS[2] shadow key
    KEYS[3] shadow key under the id before it was changed, else equal to KEYS[2]
    KEYS[4] what the names of buckets begin with
    ARGV[1] member of a bucket
    ARGV[2] member of a bucket under the id before it was changed
    ARGV[3] absolute lifetime in ms, or '-1' for none
  Output:
    true when it is noted, false when nothing was written: there is no such session, or Redis cannot save to its disk
]]
local sessionKey, shadowKey, earlierShadowKey, bucketPrefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, earlierMember, absoluteTimeout = ARGV[1], ARGV[2], tonumber(ARGV[3])

local fields = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'bucket')
local created, accessed, interval = toIntegers(fields[1], fields[2], fields[3])
local earlierBucket = fields[4]
if not created then
  return false
end
local expiry = expiryOf(created, accessed, interval, absoluteTimeout)
local bucket = expiry ~= math.huge and minuteBucket(expiry)

if not expireKeyAt(shadowKey, expiry) then
  return false
end
if shadowKey ~= earlierShadowKey and redis.call('EXISTS', earlierShadowKey) == 1 then
  redis.call('RENAME', earlierShadowKey, shadowKey)
end
if earlierBucket and (earlierBucket ~= bucket or member ~= earlierMember) then
  redis.call('SREM', bucketPrefix .. earlierBucket, earlierMember)
end
redis.call('APPEND', shadowKey, '')
if not bucket then
  redis.call('PERSIST', shadowKey)
  redis.call('HDEL', sessionKey, 'bucket')
  return true
end
redis.call('SADD', bucketPrefix .. bucket, member)
local bucketLife = (interval < 0 and absoluteTimeout or interval * 1000) + 300000
redis.call('PEXPIRE', bucketPrefix .. bucket, string.format('%.0f', bucketLife))
redis.call('HSET', sessionKey, 'bucket', bucket)
redis.call('PEXPIREAT', shadowKey, string.format('%.0f', expiry))
return true
