-- Gives the place of a session to a newer login as Spring does: Spring finds a session that holds nothing but its own mark, tells
-- its user, and ends it. The field "ended" names the id, because a Spring application without a limit may give the session
-- another one, under which the mark means nothing; the space in its text tells it from a mark that Spring sets there later. What
-- the session held goes to `leftKey` for five minutes, for the event.
local function markSpringHash(sessionKey, leftKey, id, now)
  local times = redis.call('HMGET', sessionKey, 'creationTime', 'maxInactiveInterval')
  local left = redis.call('PTTL', sessionKey)
  redis.call('RENAME', sessionKey, leftKey)
  redis.call('PEXPIRE', leftKey, 300000)
  redis.call('HSET', sessionKey, 'creationTime', times[1], 'lastAccessedTime', string.format('%.0f', now),
    'maxInactiveInterval', times[2], springMark(), ' true', 'ended', springMember(id))
  redis.call('PEXPIRE', sessionKey, math.max(left, 300000))
end
