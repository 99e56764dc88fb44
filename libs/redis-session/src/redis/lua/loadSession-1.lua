--[[
  Reads one session and, if asked to, records the access and renews its time to live.
  Mirrors RedisSessionRepository.findById of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1] session hash
    ARGV[1] now, epoch ms: a session whose end has come is deleted
    ARGV[2] access time to record, epoch ms, or '' to record none
    ARGV[3] ms between two records of the access, '0' = record every one
    ARGV[4] absolute lifetime in ms, or '-1' for none
  Output:
    the fields and values of the hash in turn, as they are after the access; empty when there is no such session
]]
local sessionKey = KEYS[1]
local now, accessTime = tonumber(ARGV[1]), tonumber(ARGV[2])
local touchInterval, absoluteTimeout = tonumber(ARGV[3]), tonumber(ARGV[4])

local times = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval')
local created, accessed, interval = tonumber(times[1]), tonumber(times[2]), tonumber(times[3])
local hash = redis.call('HGETALL', sessionKey)

-- What is no time of ours (text, NaN, above 1e15) is left alone: the caller finds out that the hash is corrupt.
local function isTime(value)
  return value and value >= -1e15 and value <= 1e15
end
if not (isTime(created) and isTime(accessed) and isTime(interval)) then
  return hash
end

local function expiry()
  local idle = interval < 0 and math.huge or accessed + interval * 1000
  local absolute = absoluteTimeout < 0 and math.huge or created + absoluteTimeout
  return math.min(idle, absolute)
end

if expiry() <= now then
  redis.call('DEL', sessionKey)
  return {}
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
return hash
