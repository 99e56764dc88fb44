--[[
  Writes the changes of one session in one atomic step, gives it its new id if it has one, and renews its time to live.
  Mirrors RedisSessionRepository.save of Spring Session, which takes four commands that others can come between.
  Input:
    KEYS[1] session hash under the id that it was stored under
    KEYS[2] session hash under the current id, equal to KEYS[1] unless the id was changed
    KEYS[3] mark of this very save, equal to KEYS[1] when it holds no updates
    ARGV[1] '1' when the session is new, '0' when it must already exist
    ARGV[2] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[3] last access, epoch ms: the stored one stays when it is later
    ARGV[4] absolute lifetime in ms, or '-1' for none
    ARGV[5] number of fields to set, ARGV[6] of fields to delete, ARGV[7] of updates
    ARGV[8 ...] name, value for each field to set; name for each field to delete;
                name, '1' or '0', text for each update: the text it was computed from, '0' = the field was absent
  Output:
     1 - saved
    -1 - the session does not exist (deleted, expired or renamed): nothing was written
    {-2, now} - too late by the clock of this server, epoch ms: nothing was written
    {-3, name, '1' or '0', text ...} - a field under update has changed; the fields under update as stored: nothing was written
]]
local storedKey, currentKey, markKey = KEYS[1], KEYS[2], KEYS[3]
local isNew, latest = ARGV[1] == '1', tonumber(ARGV[2])
local accessed, absoluteTimeout = tonumber(ARGV[3]), tonumber(ARGV[4])
local setCount, deleteCount, updateCount = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local firstSet = 8
local firstDelete = firstSet + 2 * setCount
local firstUpdate = firstDelete + deleteCount

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > latest then
  return { -2, now }
end

-- A client may send a command again after its connection broke. What is already done is done.
if updateCount > 0 and redis.call('EXISTS', markKey) == 1 then
  return 1
end

if not isNew then
  local times = redis.call('HMGET', storedKey, 'creationTime', 'lastAccessedTime')
  if not times[1] and storedKey ~= currentKey then
    storedKey = currentKey
    times = redis.call('HMGET', storedKey, 'creationTime', 'lastAccessedTime')
  end
  if not times[1] then
    return -1
  end
  accessed = math.max(accessed, tonumber(times[2]) or 0)
  local current, hasConflict = { -3 }, false
  for i = firstUpdate, firstUpdate + 3 * updateCount - 1, 3 do
    local name, wasPresent, text = ARGV[i], ARGV[i + 1] == '1', ARGV[i + 2]
    local stored = redis.call('HGET', storedKey, name)
    hasConflict = hasConflict or (wasPresent and stored ~= text) or (not wasPresent and stored ~= false)
    current[#current + 1] = name
    current[#current + 1] = stored and '1' or '0'
    current[#current + 1] = stored or ''
  end
  if hasConflict then
    return current
  end
end

if storedKey ~= currentKey and not isNew then
  redis.call('RENAME', storedKey, currentKey)
end
for i = firstSet, firstDelete - 1, 2 do
  redis.call('HSET', currentKey, ARGV[i], ARGV[i + 1])
end
for i = firstDelete, firstUpdate - 1 do
  redis.call('HDEL', currentKey, ARGV[i])
end
redis.call('HSET', currentKey, 'lastAccessedTime', string.format('%.0f', accessed))
if updateCount > 0 then
  redis.call('SET', markKey, '', 'PX', 60000)
end

local fields = redis.call('HMGET', currentKey, 'creationTime', 'maxInactiveInterval')
local created, interval = tonumber(fields[1]), tonumber(fields[2])
local idle = (not interval or interval < 0) and math.huge or accessed + interval * 1000
local absolute = (absoluteTimeout < 0 or not created) and math.huge or created + absoluteTimeout
local expiry = math.min(idle, absolute)
if expiry == math.huge then
  redis.call('PERSIST', currentKey)
else
  redis.call('PEXPIREAT', currentKey, string.format('%.0f', expiry))
end
return 1
