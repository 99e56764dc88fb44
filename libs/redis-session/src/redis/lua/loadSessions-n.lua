--[[
  Reads sessions and, if asked to, records the access to each and renews its time to live.
  Mirrors RedisSessionRepository.findById of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1 ...] session hashes
    ARGV[1] now on the clock of the caller, epoch ms: a session whose end has come is deleted
    ARGV[2] latest moment at which the accesses may be recorded, epoch ms on the clock of this server
    ARGV[3] absolute lifetime in ms, or '-1' for none
    ARGV[4] bytes from which on a hash without a version gets one
    ARGV[5 ...] for each hash: access time to record, epoch ms, or '' to record none; ms between two records of the
                access, '0' = record every one; version that the caller knows, or ''
  Output, now = epoch ms on the clock of this server:
    {1, now, count, text ...} - for each hash count fields and values in turn, separated by NUL: one text is read much
                                faster than many. The hash as it is after the access (a new lastAccessedTime comes again
                                at the end). Count 0 = there is no such session, -1 = the key does not hold a hash, -2 =
                                it has the version that the caller knows, and the text tells its lastAccessedTime
                                alone. A hash without valid times comes as it is.
    {-2, now} - too late: nothing was read or written
]]
local sessionKeys = KEYS
local clientNow, latest, absoluteTimeout = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local leastVersionedBytes, firstOwn = tonumber(ARGV[4]), 5

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- Returns the texts of the three times when the hash has that version.
local function timesAt(sessionKey, version)
  local times = redis.pcall('HMGET', sessionKey, 'version', 'creationTime', 'lastAccessedTime', 'maxInactiveInterval')
  if times[1] == version then
    return times[2], times[3], times[4]
  end
end

-- Returns the same texts and the version.
local function timesIn(hash)
  local created, accessed, interval, version
  for i = 1, #hash, 2 do
    local field = hash[i]
    if field == 'creationTime' then
      created = hash[i + 1]
    elseif field == 'lastAccessedTime' then
      accessed = hash[i + 1]
    elseif field == 'maxInactiveInterval' then
      interval = hash[i + 1]
    elseif field == 'version' then
      version = hash[i + 1]
    end
  end
  return created, accessed, interval, version
end

-- Returns count and text.
local function load(sessionKey, accessText, touchInterval, knownVersion)
  local createdText, accessedText, intervalText, version, hash
  if knownVersion ~= '' then
    createdText, accessedText, intervalText = timesAt(sessionKey, knownVersion)
  end
  if not accessedText then
    hash = redis.pcall('HGETALL', sessionKey)
    if hash.err then
      return string.find(hash.err, 'WRONGTYPE') and -1 or redis.call('HGETALL', sessionKey), ''
    end
    createdText, accessedText, intervalText, version = timesIn(hash)
  end
  local created, accessed, interval = toIntegers(createdText, accessedText, intervalText)
  if not created then
    hash = hash or redis.call('HGETALL', sessionKey)
    return #hash, table.concat(hash, '\0')
  end
  if expiryOf(created, accessed, interval, absoluteTimeout) <= clientNow then
    redis.call('DEL', sessionKey)
    return 0, ''
  end

  local accessTime = tonumber(accessText)
  local isDue = accessTime and accessTime > accessed and accessTime - accessed >= touchInterval
  if isDue and expireKeyAt(sessionKey, expiryOf(created, accessTime, interval, absoluteTimeout)) then
    redis.call('HSET', sessionKey, 'lastAccessedTime', accessText)
    accessedText = accessText
    if hash then
      hash[#hash + 1], hash[#hash + 2] = 'lastAccessedTime', accessText
    end
  end
  if not hash then
    return -2, 'lastAccessedTime\0' .. accessedText
  end
  local text = table.concat(hash, '\0')
  if version or #text < leastVersionedBytes then
    return #hash, text
  end
  return addVersion(sessionKey, #hash, text)
end

local reply = { 1, now }
for i = 1, #sessionKeys do
  local own = firstOwn + 3 * (i - 1)
  reply[2 * i + 1], reply[2 * i + 2] = load(sessionKeys[i], ARGV[own], tonumber(ARGV[own + 1]), ARGV[own + 2])
end
return reply
