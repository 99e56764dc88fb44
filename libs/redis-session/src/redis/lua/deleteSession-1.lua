--[[
  Deletes one session.
  Mirrors RedisSessionRepository.deleteById of Spring Session.
  Input:
    KEYS[1] session hash
    ARGV[1] latest moment at which the deletion may take place, epoch ms on the clock of this server
  Output:
    1 - deleted
    0 - there was none
    {-2, now} - too late by the clock of this server, epoch ms: nothing was written
]]
local sessionKey, latest = KEYS[1], tonumber(ARGV[1])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > latest then
  return { -2, now }
end
return redis.call('DEL', sessionKey)
