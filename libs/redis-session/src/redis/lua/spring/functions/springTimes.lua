-- Returns when a session in Spring's keys was created and last used, epoch ms, its idle time in seconds (0 = it has ended), and
-- whether a newer login has taken its place. Nothing when there is no session, or no valid one. A mark of this library for
-- another id goes: Spring has given the session a new one.
local function springTimes(sessionKey)
  local times = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', springMark(), 'ended')
  local created, accessed, interval = toIntegers(times[1], times[2], times[3])
  if not created then
    return
  end
  local endedId = times[5] and string.match(times[5], '^"(.*)"$')
  local hasEnded = endedId and string.sub(sessionKey, -#endedId) == endedId
  local isOurs = times[4] == ' true'
  if isOurs and not hasEnded then
    redis.pcall('HDEL', sessionKey, springMark(), 'ended')
  end
  return created, accessed, hasEnded and 0 or interval, times[4] == 'true' or isOurs and hasEnded
end
