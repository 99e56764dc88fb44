-- Returns when a session in Spring's keys was created and last used, epoch ms, its idle time in seconds, and whether a newer
-- login has taken its place. Nothing when there is no session, or no valid one.
local function springTimes(sessionKey)
  local mark = 'sessionAttr:org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED'
  local times = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', mark)
  local created, accessed, interval = toInteger(times[1]), toInteger(times[2]), toInteger(times[3])
  if created and accessed and interval then
    return created, accessed, interval, times[4] == 'true'
  end
end
