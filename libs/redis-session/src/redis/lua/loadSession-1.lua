--[[
  Reads one session and, if asked to, records the access and renews its time to live.
  Mirrors RedisSessionRepository.findById of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1] session hash
    ARGV[1] now on the clock of the caller, epoch ms: a session whose end has come is deleted
    ARGV[2] access time to record, epoch ms, or '' to record none
    ARGV[3] ms between two records of the access, '0' = record every one
    ARGV[4] absolute lifetime in ms, or '-1' for none
    ARGV[5] latest moment at which the access may be recorded, epoch ms on the clock of this server
  Output, now = epoch ms on the clock of this server:
    {1, now, {field, value ...}} - the hash as it is after the access (a new lastAccessedTime comes again at the end), no
                                   fields when there is no such session. A hash without valid times comes as it is.
    {-2, now} - too late: nothing was read or written
]]
local sessionKey = KEYS[1]
local clientNow, accessTime = tonumber(ARGV[1]), tonumber(ARGV[2])
local touchInterval, absoluteTimeout, latest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > latest then
  return { -2, now }
end

-- A whole number that a double holds exactly; no 'nan', 'inf', '1e999', '0x10'.
local function toInteger(text)
  local number = text and #text <= 17 and string.find(text, '^%-?%d+$') and tonumber(text)
  return number and math.abs(number) <= 9007199254740991 and number
end
local hash = redis.call('HGETALL', sessionKey)
local created, accessed, interval
for i = 1, #hash, 2 do
  local field = hash[i]
  if field == 'creationTime' then
    created = toInteger(hash[i + 1])
  elseif field == 'lastAccessedTime' then
    accessed = toInteger(hash[i + 1])
  elseif field == 'maxInactiveInterval' then
    interval = toInteger(hash[i + 1])
  end
end
if not (created and accessed and interval) then
  return { 1, now, hash }
end

local function expiry()
  local idle = interval < 0 and math.huge or accessed + interval * 1000
  local absolute = absoluteTimeout < 0 and math.huge or created + absoluteTimeout
  return math.min(idle, absolute)
end

if expiry() <= clientNow then
  redis.call('DEL', sessionKey)
  return { 1, now, {} }
end

if accessTime and accessTime > accessed and accessTime - accessed >= touchInterval then
  accessed = accessTime
  local text = string.format('%.0f', accessTime)
  redis.call('HSET', sessionKey, 'lastAccessedTime', text)
  local newExpiry = expiry()
  if newExpiry ~= math.huge then
    redis.call('PEXPIREAT', sessionKey, string.format('%.0f', newExpiry))
  end
  hash[#hash + 1], hash[#hash + 2] = 'lastAccessedTime', text
end
return { 1, now, hash }
