--[[
  Ends a session that Spring has written by Java serialization, with either repository of Spring: a shadow key tells that it is
  the indexed one. There, the hash stays for five minutes with an idle time of 0, as Spring leaves it. Without, Spring would
  answer 500 to a request in flight, so the session loses all attributes instead, and the field "ended" names its id.
  Mirrors deleteById of both Redis repositories of Spring Session.
  Input:
    KEYS[1] session hash
    KEYS[2] shadow key of the indexed repository
    ARGV[1] latest moment at which the session may be ended, epoch ms on the clock of this server
    ARGV[2] session id
  Output, now = epoch ms on the clock of this server:
    {1, now} - ended
    {2, now} - there was none
    {-2, now} - too late: nothing was written
]]
local sessionKey, shadowKey = KEYS[1], KEYS[2]

local now = serverNow()
if now > tonumber(ARGV[1]) then
  return { -2, now }
end
local created = jdkTimes(sessionKey)
if not created then
  redis.call('DEL', sessionKey, shadowKey)
  return { 2, now }
end
-- A full Redis takes this first write, and after it the others.
redis.call('PEXPIRE', sessionKey, 300000)
if redis.call('EXISTS', shadowKey) == 1 then
  local head = string.sub(redis.call('HGET', sessionKey, 'maxInactiveInterval'), 1, -5)
  redis.call('HSET', sessionKey, 'maxInactiveInterval', head .. '\0\0\0\0')
else
  dropSpringAttributes(sessionKey)
  redis.call('HSET', sessionKey, 'ended', jdkMember(ARGV[2]))
end
redis.call('DEL', shadowKey)
return { 1, now }
