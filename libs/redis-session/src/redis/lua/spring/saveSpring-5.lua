--[[
  Writes the changes of one session in Spring's keys in one atomic step, gives it its new id if it has one, and renews its
  times to live. Not for Redis Cluster: the names of buckets and of other sessions follow from what is stored.
  Mirrors save of both Redis repositories of Spring Session. An earlier id stays as an empty session that has ended, so that
  a request of Spring which is still in flight under that id neither fails nor revives it.
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
    ARGV[6] what the keys of sessions begin with
    ARGV[7] id that it was stored under, ARGV[8] current id
    ARGV[9] index of the user until now, or ''; ARGV[10] index of the user from now on, or ''
    ARGV[11] how many sessions the user may have when this is a login, or '-1' for any number
    ARGV[12] '1' when a login beyond that is refused, '0' when other sessions have to end
    ARGV[13] channel and ARGV[14] message that tell of a new session, '' = nobody is told
    ARGV[15] number of fields to set, ARGV[16] of fields to delete, ARGV[17] of updates
    ARGV[18 ...] name, value for each field to set; name for each field to delete;
                 name, '1' or '0', text for each update: the text it was computed from, '0' = the field was absent
  Output, now = epoch ms on the clock of this server:
    {1, now, 1, id ...} - saved, see replyToSave; the other sessions of the user that have to end, those that were used longest ago
    {-1, now} - the session does not exist (deleted, expired, renamed) or has no valid times: nothing was written
    {-2, now} - too late: nothing was written
    {-3, now, name, '1' or '0', text ...} - a field under update has changed; all of them as stored: nothing was written
    {-5, now} - the user has too many sessions: nothing was written
]]
local storedKey, currentKey, markKey, storedShadow, currentShadow = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local isNew, created, latest = ARGV[1] ~= '', tonumber(ARGV[1]), tonumber(ARGV[2])
local accessed, interval = tonumber(ARGV[3]), tonumber(ARGV[4])
local buckets, sessionPrefix, storedId, currentId = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local earlierIndex, index, limit, isRefusing = ARGV[9], ARGV[10], tonumber(ARGV[11]), ARGV[12] == '1'
local channel, message = ARGV[13], ARGV[14]
local setCount, deleteCount, updateCount = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local firstSet = 18
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
  local storedCreated, storedAccess, storedInterval, isReplaced = springTimes(storedKey)
  if storedKey ~= currentKey and redis.call('EXISTS', currentKey) == 1 then
    storedKey, storedShadow, storedId = currentKey, currentShadow, currentId
    storedCreated, storedAccess, storedInterval, isReplaced = springTimes(storedKey)
  end
  if not storedCreated or isReplaced or springExpiry(storedCreated, storedAccess, storedInterval) <= now then
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

local others = {}
if limit >= 0 and index ~= '' then
  local members = redis.call('SMEMBERS', index)
  for i = 1, #members do
    local id = string.match(members[i], '^"(.*)"$')
    local otherCreated, otherAccess, otherInterval, isReplaced
    if id and id ~= storedId and id ~= currentId then
      otherCreated, otherAccess, otherInterval, isReplaced = springTimes(sessionPrefix .. id)
    end
    if otherCreated and not isReplaced and springExpiry(otherCreated, otherAccess, otherInterval) > now then
      others[#others + 1] = { id = id, accessed = otherAccess }
    end
  end
  if #others >= limit and isRefusing then
    return { -5, now }
  end
  table.sort(others, function(one, other)
    return one.accessed < other.accessed
  end)
end

local isPublished = isNew and channel ~= '' and redis.call('EXISTS', currentKey) == 0
if isNew then
  redis.call('HSET', currentKey, 'creationTime', ARGV[1], 'maxInactiveInterval', ARGV[4])
elseif storedKey ~= currentKey then
  redis.call('RENAME', storedKey, currentKey)
  local createdText, accessedText = string.format('%.0f', created), string.format('%.0f', accessed)
  redis.call('HSET', storedKey, 'creationTime', createdText, 'lastAccessedTime', accessedText,
    'maxInactiveInterval', string.format('%.0f', interval))
  endSpringHash(storedKey, storedId, buckets, now)
  if redis.call('EXISTS', storedShadow) == 1 then
    redis.call('RENAME', storedShadow, currentShadow)
  end
  if buckets ~= '' then
    redis.call('SREM', buckets .. minuteBucket(earlierExpiry), springMember('expires:' .. storedId))
  end
end
if not isNew and ARGV[4] ~= '' then
  redis.call('HSET', currentKey, 'maxInactiveInterval', ARGV[4])
end
setFields(currentKey, string.format('%.0f', accessed), firstSet, firstDelete - 1)
for i = firstDelete, firstUpdate - 1 do
  redis.call('HDEL', currentKey, ARGV[i])
end
if updateCount > 0 then
  markSave(markKey, latest, now)
end

if earlierIndex ~= '' and (earlierIndex ~= index or storedId ~= currentId) then
  redis.call('SREM', earlierIndex, springMember(storedId))
end
if index ~= '' then
  redis.call('SADD', index, springMember(currentId))
end
if isPublished then
  redis.call('PUBLISH', channel, message)
end
local keys = { session = currentKey, shadow = currentShadow, buckets = buckets, member = springMember('expires:' .. currentId) }
keepSpringSession(keys, springExpiry(created, accessed, interval), earlierExpiry)

local reply = { 1, now, 1 }
for i = 1, limit >= 0 and #others - limit + 1 or 0 do
  reply[#reply + 1] = others[i].id
end
return reply
