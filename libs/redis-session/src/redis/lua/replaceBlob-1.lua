--[[
  Replaces one session of another library, a string, if it still is what its reader has seen: no change gets lost between.
  Input:
    KEYS[1] string with the session
    ARGV[1] latest moment at which it may be replaced, epoch ms on the clock of this server
    ARGV[2] the text that was read, or '' when there was none
    ARGV[3] the new text, or '' to delete the key
    ARGV[4] time to live of the new text in ms, or '' to keep the one of the old text
  Output, now = epoch ms on the clock of this server:
    {1, now} - replaced, or this was done before
    {-1, now} - another one has changed it: nothing was written
    {-2, now} - too late: nothing was written
]]
local sessionKey = KEYS[1]
local latest, seen, text, timeToLive = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- A client may send a command again after its connection broke. What is already done is done.
local stored = redis.call('GET', sessionKey) or ''
if stored == text then
  return { 1, now }
end
if stored ~= seen then
  return { -1, now }
end

timeToLive = timeToLive or redis.call('PTTL', sessionKey)
if text == '' then
  redis.call('DEL', sessionKey)
elseif timeToLive > 0 then
  redis.call('SET', sessionKey, text, 'PX', string.format('%.0f', timeToLive))
else
  redis.call('SET', sessionKey, text)
end
return { 1, now }
