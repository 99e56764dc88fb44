-- Renews the times to live of a session in Spring's keys. With buckets it also renews the shadow key, whose end Redis
-- reports, and moves the session to the bucket of its minute. Times are epoch ms; `earlier` = the last expiry, or nothing.
local function keepSpringSession(keys, expiry, earlier)
  local function expireAt(key, moment)
    redis.call('PEXPIREAT', key, string.format('%.0f', moment))
  end
  if keys.buckets == '' then
    expireAt(keys.session, expiry)
    return
  end
  local bucket = minuteBucket(expiry)
  if earlier and minuteBucket(earlier) ~= bucket then
    redis.call('SREM', keys.buckets .. minuteBucket(earlier), keys.member)
  end
  expireAt(keys.session, expiry + 300000)
  redis.call('APPEND', keys.shadow, '')
  expireAt(keys.shadow, expiry)
  redis.call('SADD', keys.buckets .. bucket, keys.member)
  expireAt(keys.buckets .. bucket, bucket + 300000)
end
