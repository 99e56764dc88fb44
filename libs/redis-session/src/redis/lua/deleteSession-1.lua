--[[
  Deletes one session.
  Mirrors RedisSessionRepository.deleteById of Spring Session.
  Input:
    KEYS[1] session hash
    ARGV[1] latest moment at which the deletion may take place, epoch ms on the clock of this server
  Output, now = epoch ms on the clock of this server:
    {1, now} - deleted, or there was none
    {-2, now} - too late: nothing was written
]]
local sessionKey, latest = KEYS[1], tonumber(ARGV[1])

local now = serverNow()
if now > latest then
  return { -2, now }
end
redis.call('DEL', sessionKey)
return { 1, now }
