--[[
  Writes the changes of one session in one atomic step, gives it its new id if it has one, and renews its time to live.
  Mirrors RedisSessionRepository.save of Spring Session, which takes four commands that others can come between.
  Input:
    KEYS[1] session hash under the id that it was stored under
    KEYS[2] session hash under the current id
    KEYS[3] mark of this very save
    The last two are left out when the id is the same and nothing is under update.
    ARGV[1] creation time of a new session, epoch ms, or '' when the session must already exist
    ARGV[2] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[3] last access, epoch ms: the stored one stays when it is later
    ARGV[4] seconds without access that end the session, negative = never, or '' to keep the stored ones of one that exists
    ARGV[5] absolute lifetime in ms, or '-1' for none
    ARGV[6] version that the caller knows, or ''
    ARGV[7] number of fields to set, ARGV[8] of fields to delete, ARGV[9] of updates
    ARGV[10 ...] name, value for each field to set; name for each field to delete;
                 name, '1' or '0', text for each update: the text it was computed from, '0' = the field was absent
  Output, now = epoch ms on the clock of this server:
    {1, now, version or ''} - saved; the version that the hash now has, unless it did not have the one that the caller knows
    {-1, now} - the session does not exist (deleted, expired, renamed) or has no valid times: nothing was written
    {-2, now} - too late: nothing was written
    {-3, now, name, '1' or '0', text ...} - a field under update has changed; all of them as stored: nothing was written
]]
local storedKey, currentKey, markKey = KEYS[1], KEYS[2] or KEYS[1], KEYS[3]
local isNew, created, latest = ARGV[1] ~= '', tonumber(ARGV[1]), tonumber(ARGV[2])
local accessText, accessed = ARGV[3], tonumber(ARGV[3])
local interval, absoluteTimeout = tonumber(ARGV[4]), tonumber(ARGV[5])
local knownVersion, version, isKnown = ARGV[6], false, false
local setCount, deleteCount, updateCount = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local firstSet = 10
local firstDelete = firstSet + 2 * setCount
local firstUpdate = firstDelete + deleteCount

local now = serverNow()
-- A client may send a command again after its connection broke. What is already done is done.
if updateCount > 0 and redis.call('EXISTS', markKey) == 1 then
  return { 1, now, '' }
end
if now > latest then
  return { -2, now }
end

if isNew then
  version = redis.call('HGET', currentKey, 'version')
else
  local function readTimes()
    return redis.call('HMGET', storedKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'version')
  end
  local times = readTimes()
  if not times[1] and storedKey ~= currentKey then
    storedKey = currentKey
    times = readTimes()
  end
  version, isKnown = times[4], times[4] == knownVersion
  local storedCreated, storedAccess, storedInterval = toIntegers(times[1], times[2], times[3])
  if not storedCreated then
    return { -1, now }
  end
  created, interval = storedCreated, interval or storedInterval
  if storedAccess > accessed then
    accessText, accessed = times[2], storedAccess
  end
  if updateCount > 0 then
    local current = { -3, now }
    if hasConflict(storedKey, firstUpdate, updateCount, current) then
      return current
    end
  end
end

local expiry = expiryOf(created, accessed, interval, absoluteTimeout)
local isAccessOnly = not isNew and storedKey == currentKey and setCount + deleteCount + updateCount == 0 and ARGV[4] == ''
if isAccessOnly then
  expireKeyAt(currentKey, expiry)
end
if isNew then
  redis.call('HSET', currentKey, 'creationTime', ARGV[1], 'maxInactiveInterval', ARGV[4])
elseif storedKey ~= currentKey then
  redis.call('RENAME', storedKey, currentKey)
end
if not isNew and ARGV[4] ~= '' then
  redis.call('HSET', currentKey, 'maxInactiveInterval', ARGV[4])
end
if version and (setCount + deleteCount > 0 or ARGV[4] ~= '') then
  version = nextVersion(version)
  redis.call('HSET', currentKey, 'version', version)
end
setFields(currentKey, accessText, firstSet, firstDelete - 1)
for i = firstDelete, firstUpdate - 1 do
  redis.call('HDEL', currentKey, ARGV[i])
end
if updateCount > 0 then
  markSave(markKey, latest, now)
end

if expiry == math.huge then
  redis.call('PERSIST', currentKey)
else
  redis.call('PEXPIREAT', currentKey, string.format('%.0f', expiry))
end
return { 1, now, isKnown and version or '' }
