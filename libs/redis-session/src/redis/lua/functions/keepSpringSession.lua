-- Renews the times to live of a session in Spring's keys. With buckets it also renews the shadow key, whose end Redis
-- reports, and moves the session to the bucket of its minute. Times are epoch ms; `earlier` = the last expiry, or nothing.
local function keepSpringSession(keys, expiry, earlier)
  local function bucketOf(time)
    return math.floor((time + 60000) / 60000) * 60000
  end
  local function text(number)
    return string.format('%.0f', number)
  end
  if keys.buckets == '' then
    redis.call('PEXPIREAT', keys.session, text(expiry))
    return
  end
  local bucket = bucketOf(expiry)
  if earlier and bucketOf(earlier) ~= bucket then
    redis.call('SREM', keys.buckets .. text(bucketOf(earlier)), keys.member)
  end
  redis.call('PEXPIREAT', keys.session, text(expiry + 300000))
  redis.call('APPEND', keys.shadow, '')
  redis.call('PEXPIREAT', keys.shadow, text(expiry))
  redis.call('SADD', keys.buckets .. text(bucket), keys.member)
  redis.call('PEXPIREAT', keys.buckets .. text(bucket), text(bucket + 300000))
end
