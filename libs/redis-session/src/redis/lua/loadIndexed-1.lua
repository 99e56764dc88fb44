--[[
  Reads one session of the indexed repository and, if asked to, records the access and renews its time to live. Writes
  to nothing but the session. A session whose end has come gets the field "over" and is left to who reports its end.
  Mirrors RedisIndexedSessionRepository.findById of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1] session hash
    ARGV[1] now on the clock of the caller, epoch ms
    ARGV[2] access time to record, epoch ms, or '' to record none
    ARGV[3] ms between two records of the access, '0' = record every one
    ARGV[4] absolute lifetime in ms, or '-1' for none
    ARGV[5] ms that the hash outlives the session
    ARGV[6] ms after which an index entry whose score has passed is written again
    ARGV[7] latest moment at which the access may be recorded, epoch ms on the clock of this server
  Output, now = epoch ms on the clock of this server:
    {1, now, {field, value ...}} - the hash as it is after the access, no fields when there is no such session. A changed
                                   field comes again at the end: a second indexExpiry asks the caller to write the
                                   index entries again. A hash without valid times comes as it is.
    {-2, now} - too late: nothing was read or written
]]
local sessionKey = KEYS[1]
local clientNow, accessTime = tonumber(ARGV[1]), tonumber(ARGV[2])
local touchInterval, absoluteTimeout = tonumber(ARGV[3]), tonumber(ARGV[4])
local retention, indexDelay, latest = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

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
local times = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'indexExpiry', 'over')
local created, accessed, interval = toInteger(times[1]), toInteger(times[2]), toInteger(times[3])
local indexExpiry = toInteger(times[4])
local hash = redis.call('HGETALL', sessionKey)
if not (created and accessed and interval) then
  return { 1, now, hash }
end

local function expiry()
  local idle = interval < 0 and math.huge or accessed + interval * 1000
  local absolute = absoluteTimeout < 0 and math.huge or created + absoluteTimeout
  return math.min(idle, absolute)
end

if times[5] or expiry() <= clientNow then
  redis.call('HSET', sessionKey, 'over', '1')
  return { 1, now, {} }
end

local function set(field, number)
  local text = string.format('%.0f', number)
  redis.call('HSET', sessionKey, field, text)
  hash[#hash + 1], hash[#hash + 2] = field, text
end
if accessTime and accessTime > accessed and accessTime - accessed >= touchInterval then
  accessed = accessTime
  set('lastAccessedTime', accessTime)
  local newExpiry = expiry()
  if newExpiry ~= math.huge then
    redis.call('PEXPIREAT', sessionKey, string.format('%.0f', newExpiry + retention))
    if indexExpiry and indexExpiry + indexDelay < clientNow then
      set('indexExpiry', newExpiry)
    end
  end
end
return { 1, now, hash }
