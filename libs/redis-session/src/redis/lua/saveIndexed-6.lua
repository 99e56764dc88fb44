--[[
  Writes the changes of a stored session of the indexed repository in one atomic step: gives it its new id if it has one,
  renews its time to live, schedules its expiration, and adds an event when its id has changed.
  Mirrors RedisIndexedSessionRepository.save of Spring Session, which takes seven commands that others can come between.
  Input:
    KEYS[1] session hash under the id that it was stored under
    KEYS[2] session hash under the current id, equal to KEYS[1] unless the id was changed
    KEYS[3] mark of this very save, equal to KEYS[4] when it holds no updates
    KEYS[4] sorted set of expirations
    KEYS[5] stream of events
    KEYS[6] mark that the session was ended under its current id
    ARGV[1] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[2] last access, epoch ms: the stored one stays when it is later
    ARGV[3] seconds without access that end the session, negative = never, or '' to keep the stored ones
    ARGV[4] absolute lifetime in ms, or '-1' for none
    ARGV[5] ms that the hash outlives the session
    ARGV[6] bytes of the id that it was stored under, which KEYS[1] ends with; ARGV[7] of the current one, KEYS[2]
    ARGV[8] '1' when expirations are kept in KEYS[4], else '0'
    ARGV[9] about how many events the stream holds at most, '0' = no events
    ARGV[10] version that the caller knows, or ''
    ARGV[11] number of fields to set, ARGV[12] of fields to delete, ARGV[13] of updates, ARGV[14] of index fields,
    ARGV[15] of names of attributes in events, '-1' = all
    ARGV[16 ...] name, value for each field to set; name for each field to delete;
                 name, '1' or '0', text for each update: the text it was computed from, '0' = the field was absent;
                 name, text for each index field that changes: the text that it must hold, '*' = any, '' = none;
                 name for each attribute in events
  Output, now = epoch ms on the clock of this server:
    {1, now, version or '', text or '' ...} - saved; the version that the hash now has, unless it did not have the one
                                              that the caller knows; the earlier texts of the index fields
    {-1, now} - the session does not exist (deleted, expired, renamed) or has no valid times: nothing was written
    {-2, now} - too late: nothing was written
    {-3, now, name, '1' or '0', text ...} - a field under update has changed; all of them as stored: nothing was written
    {-4, now, text or '' ...} - an index field does not hold what it must; all of them as stored: nothing was written
]]
local storedKey, currentKey, markKey = KEYS[1], KEYS[2], KEYS[3]
local expirations, events, endedKey = KEYS[4], KEYS[5], KEYS[6]
local latest, accessText, accessed = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[2])
local newInterval, absoluteTimeout, retention = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local storedId, currentId = string.sub(storedKey, -tonumber(ARGV[6])), string.sub(currentKey, -tonumber(ARGV[7]))
local hasExpirations, maxEvents, knownVersion = ARGV[8] == '1', tonumber(ARGV[9]), ARGV[10]
local setCount, deleteCount, updateCount = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local indexCount, eventNameCount = tonumber(ARGV[14]), tonumber(ARGV[15])
local firstSet = 16
local firstDelete = firstSet + 2 * setCount
local firstUpdate = firstDelete + deleteCount
local firstIndex = firstUpdate + 3 * updateCount
local firstEventName = firstIndex + 2 * indexCount

local now = serverNow()
-- A client may send a command again after its connection broke. What is already done is done.
if updateCount > 0 and redis.call('EXISTS', markKey) == 1 then
  return { 1, now, '' }
end
if now > latest then
  return { -2, now }
end

if redis.call('EXISTS', endedKey) == 1 then
  return { -1, now }
end
local function read()
  return redis.call('HMGET', storedKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'over', 'version')
end
local stored, isResent = read(), false
if not stored[1] and storedKey ~= currentKey then
  storedKey, isResent = currentKey, true
  stored = read()
end
local created, storedAccess, storedInterval = toIntegers(stored[1], stored[2], stored[3])
if not created or stored[4] or expiryOf(created, storedAccess, storedInterval, absoluteTimeout) <= now then
  return { -1, now }
end
local interval = tonumber(newInterval) or storedInterval
if storedAccess > accessed then
  accessText, accessed = stored[2], storedAccess
end
local current = { -3, now }
if updateCount > 0 and hasConflict(storedKey, firstUpdate, updateCount, current) then
  return current
end

local version, isKnown = stored[5], stored[5] == knownVersion
if version and (setCount + deleteCount > 0 or newInterval ~= '') then
  version = nextVersion(version)
end
local reply, hasIndexConflict = { 1, now, isKnown and version or '' }, false
for i = firstIndex, firstEventName - 1, 2 do
  local text, expected = redis.call('HGET', storedKey, ARGV[i]) or '', ARGV[i + 1]
  hasIndexConflict = hasIndexConflict or expected ~= '*' and expected ~= text
  reply[#reply + 1] = text
end
if hasIndexConflict and not isResent then
  return { -4, now, unpack(reply, 4) }
end

local hasMoved = storedKey ~= currentKey
if hasMoved then
  redis.call('RENAME', storedKey, currentKey)
end
if newInterval ~= '' then
  redis.call('HSET', currentKey, 'maxInactiveInterval', newInterval)
end
if version then
  redis.call('HSET', currentKey, 'version', version)
end
setFields(currentKey, accessText, firstSet, firstDelete - 1)
for i = firstDelete, firstUpdate - 1 do
  redis.call('HDEL', currentKey, ARGV[i])
end
if updateCount > 0 then
  markSave(markKey, latest, now)
end

local expiry = expiryOf(created, accessed, interval, absoluteTimeout)
local score = expiry == math.huge and '+inf' or string.format('%.0f', expiry)
if expiry == math.huge then
  redis.call('PERSIST', currentKey)
else
  redis.call('PEXPIREAT', currentKey, string.format('%.0f', expiry + retention))
end
if hasExpirations and (hasMoved or newInterval ~= '') then
  if storedId ~= currentId or expiry == math.huge then
    redis.call('ZREM', expirations, storedId)
  end
  if expiry ~= math.huge then
    redis.call('ZADD', expirations, score, currentId)
  end
end

-- At most so many fields, because a table of 8000 is too large for a call.
if hasMoved and maxEvents > 0 then
  local entry = { 'type', 'id-changed', 'sessionId', currentId, 'previousSessionId', storedId }
  local wanted = {}
  for i = firstEventName, firstEventName + eventNameCount - 1 do
    wanted['sessionAttr:' .. ARGV[i]] = true
  end
  local hash = redis.call('HGETALL', currentKey)
  for i = 1, math.min(#hash, 7000), 2 do
    if eventNameCount < 0 or wanted[hash[i]] or string.sub(hash[i], 1, 12) ~= 'sessionAttr:' then
      entry[#entry + 1], entry[#entry + 2] = hash[i], hash[i + 1]
    end
  end
  redis.call('XADD', events, 'MAXLEN', '~', maxEvents, '*', unpack(entry))
end
return reply
