-- Leaves the hash of a session that has ended for five minutes, for requests of Spring that are still in flight. With buckets
-- it has an idle time of 0, as Spring leaves it. Without, Spring would delete such a hash at once, and answer 500 to a request
-- that has read it before: so Spring finds a session there that holds nothing, and the field "ended" tells this
-- library the truth. It names the id, because Spring may give the hash another one.
-- A full Redis takes this first write, and after it the others.
local function endSpringHash(sessionKey, id, buckets, now)
  redis.call('PEXPIRE', sessionKey, 300000)
  if buckets == '' then
    local text = string.format('%.0f', now)
    redis.call('HSET', sessionKey, 'lastAccessedTime', text, 'ended', springMember(id))
  else
    redis.call('HSET', sessionKey, 'maxInactiveInterval', '0')
  end
end
