--[[
  Writes the changes of one session in Spring's keys by Java serialization in one atomic step, gives it its new id if it has one,
  and renews its times to live. Not for Redis Cluster: the names of the buckets follow from the hash.
  Mirrors save of both Redis repositories of Spring Session. An earlier id stays for five minutes: in the indexed repository
  with an idle time of 0, in the default one as a session that holds nothing but "ended" and its id, so that no request of Spring
  in flight fails.
  Input:
    KEYS[1] session hash under the id that it was stored under
    KEYS[2] session hash under the current id, equal to KEYS[1] unless the id was changed
    KEYS[3] mark of this very save, equal to KEYS[1] when it holds no updates
    KEYS[4] shadow key under the id that it was stored under
    KEYS[5] shadow key under the current id
    ARGV[1] creation time of a new session, epoch ms, or '' when the session must already exist
    ARGV[2] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[3] last access, epoch ms: the stored one stays when it is later
    ARGV[4] seconds without access that end the session, or '' to keep the stored ones of one that exists
    ARGV[5] what the names of the buckets begin with, or '' for the default repository
    ARGV[6] id that it was stored under, ARGV[7] current id
    ARGV[8] index of the user until now, or ''; ARGV[9] index of the user from now on, or ''
    ARGV[10] number of fields to set, ARGV[11] of fields to delete, ARGV[12] of updates
    ARGV[13 ...] name, bytes for each field to set; name for each field to delete;
                 name, '1' or '0', bytes for each update: those it was computed from, '0' = the field was absent
  Output, now = epoch ms on the clock of this server:
    {1, now, 1} - saved, see replyToSave
    {-1, now} - the session does not exist (deleted, expired, renamed, replaced) or has no valid times: nothing was written
    {-2, now} - too late: nothing was written
    {-3, now, name, '1' or '0', bytes ...} - a field under update has changed; all of them as stored: nothing was written
]]
local storedKey, currentKey, markKey, storedShadow, currentShadow = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local isNew, created, latest = ARGV[1] ~= '', tonumber(ARGV[1]), tonumber(ARGV[2])
local accessed, interval = tonumber(ARGV[3]), tonumber(ARGV[4])
local buckets, storedId, currentId, earlierIndex, index = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local setCount, deleteCount, updateCount = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local firstSet = 13
local firstDelete = firstSet + 2 * setCount
local firstUpdate = firstDelete + deleteCount

local now = serverNow()
-- A client may send a command again after its connection broke. What is already done is done.
if updateCount > 0 and redis.call('EXISTS', markKey) == 1 then
  return { 1, now, 1 }
end
if now > latest then
  return { -2, now }
end

local earlierExpiry
if not isNew then
  if storedKey ~= currentKey and redis.call('EXISTS', currentKey) == 1 then
    storedKey, storedShadow, storedId = currentKey, currentShadow, currentId
  end
  local storedCreated, storedAccess, storedInterval, isOver = jdkTimes(storedKey)
  if not storedCreated or isOver or springExpiry(storedCreated, storedAccess, storedInterval) <= now then
    return { -1, now }
  end
  created, interval = storedCreated, interval or storedInterval
  accessed = math.max(accessed, storedAccess)
  earlierExpiry = springExpiry(created, storedAccess, storedInterval)
end

local current = { -3, now }
if hasSpringConflict(storedKey, firstUpdate, updateCount, current) and not isNew then
  return current
end

if not isNew and storedKey ~= currentKey then
  redis.call('RENAME', storedKey, currentKey)
  redis.call('HSET', storedKey, 'creationTime', jdkNumber(created, '>i8'), 'lastAccessedTime', jdkNumber(now, '>i8'),
    'maxInactiveInterval', jdkNumber(buckets == '' and interval or 0, '>i4'))
  if buckets == '' then
    redis.call('HSET', storedKey, 'ended', jdkMember(storedId))
  end
  redis.call('PEXPIRE', storedKey, 300000)
  if redis.call('EXISTS', storedShadow) == 1 then
    redis.call('RENAME', storedShadow, currentShadow)
  end
  if buckets ~= '' then
    redis.call('SREM', buckets .. minuteBucket(earlierExpiry), jdkMember('expires:' .. storedId))
  end
end
redis.call('HSET', currentKey, 'creationTime', jdkNumber(created, '>i8'), 'lastAccessedTime', jdkNumber(accessed, '>i8'),
  'maxInactiveInterval', jdkNumber(interval, '>i4'))
for i = firstSet, firstDelete - 1, 2 do
  redis.call('HSET', currentKey, ARGV[i], ARGV[i + 1])
end
for i = firstDelete, firstUpdate - 1 do
  redis.call('HDEL', currentKey, ARGV[i])
end
if updateCount > 0 then
  markSave(markKey, latest, now)
end

if earlierIndex ~= '' and (earlierIndex ~= index or storedId ~= currentId) then
  redis.call('SREM', earlierIndex, jdkMember(storedId))
end
if index ~= '' then
  redis.call('SADD', index, jdkMember(currentId))
end
local keys = { session = currentKey, shadow = currentShadow, buckets = buckets, member = jdkMember('expires:' .. currentId) }
keepSpringSession(keys, springExpiry(created, accessed, interval), earlierExpiry)
return { 1, now, 1 }
