--[[
  Reads sessions of the indexed repository and, if asked to, records the access to each and renews its time to live.
  Writes to nothing but the sessions. A session whose end has come gets the field "over" and is left to who reports its
  end.
  Mirrors RedisIndexedSessionRepository.findById of Spring Session, followed by setLastAccessedTime and save.
  Input:
    KEYS[1 ...] session hashes
    ARGV[1] now on the clock of the caller, epoch ms
    ARGV[2] latest moment at which the accesses may be recorded, epoch ms on the clock of this server
    ARGV[3] absolute lifetime in ms, or '-1' for none
    ARGV[4] ms between two records of the access, '0' = record every one
    ARGV[5] ms that a hash outlives its session
    ARGV[6] ms after which an index entry whose score has passed is written again
    ARGV[7] bytes from which on a hash without a version gets one, or '' = never
    ARGV[8 ...] for each hash: access time to record, epoch ms, or '' to record none; version that the caller knows, or ''
  Output, now = epoch ms on the clock of this server:
    {1, now, count, text ...} - for each hash count fields and values in turn, separated by NUL. The hash as it is after
                                the access, a new lastAccessedTime again at the end; 'newIndexExpiry', '1' = the index
                                entries are to be written again. Count 0 = there is no such session, -1 = the key does
                                not hold a hash, -2 = it has the version that the caller knows, and the text tells its
                                lastAccessedTime and newIndexExpiry alone. A hash without valid times comes as it is.
    {-2, now} - too late: nothing was read or written
]]
local sessionKeys = KEYS
local clientNow, latest, absoluteTimeout = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local touchInterval, retention, indexDelay = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local leastVersionedBytes, firstOwn = tonumber(ARGV[7]), 8

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- Returns the fields that matter here, and the whole hash in turn unless it has that version.
local function read(sessionKey, knownVersion)
  if knownVersion ~= '' then
    local known = redis.pcall(
      'HMGET', sessionKey, 'version', 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'indexExpiry', 'over'
    )
    if known[1] == knownVersion then
      return {
        creationTime = known[2],
        lastAccessedTime = known[3],
        maxInactiveInterval = known[4],
        indexExpiry = known[5],
        over = known[6],
      }
    end
  end
  local hash, fields = redis.pcall('HGETALL', sessionKey), {}
  for i = 1, #hash, 2 do
    fields[hash[i]] = hash[i + 1]
  end
  return fields, hash
end

-- Returns count and text.
local function load(sessionKey, accessTime, knownVersion)
  local fields, hash = read(sessionKey, knownVersion)
  if hash and hash.err then
    return string.find(hash.err, 'WRONGTYPE') and -1 or redis.call('HGETALL', sessionKey), ''
  end
  local created, accessed, interval = toIntegers(fields.creationTime, fields.lastAccessedTime, fields.maxInactiveInterval)
  if not created then
    hash = hash or redis.call('HGETALL', sessionKey)
    return #hash, table.concat(hash, '\0')
  end
  if fields.over or expiryOf(created, accessed, interval, absoluteTimeout) <= clientNow then
    redis.pcall('HSET', sessionKey, 'over', '1')
    return 0, ''
  end

  local parts = hash or { 'lastAccessedTime', fields.lastAccessedTime, 'newIndexExpiry', '0' }
  local isDue = accessTime and accessTime > accessed and accessTime - accessed >= touchInterval
  local expiry = isDue and expiryOf(created, accessTime, interval, absoluteTimeout)
  if isDue and expireKeyAt(sessionKey, expiry + retention) then
    local accessText = string.format('%.0f', accessTime)
    redis.call('HSET', sessionKey, 'lastAccessedTime', accessText)
    parts[#parts + 1], parts[#parts + 2] = 'lastAccessedTime', accessText
    local indexExpiry = toInteger(fields.indexExpiry)
    if expiry ~= math.huge and indexExpiry and indexExpiry + indexDelay < clientNow then
      redis.call('HSET', sessionKey, 'indexExpiry', string.format('%.0f', expiry))
      parts[#parts + 1], parts[#parts + 2] = 'newIndexExpiry', '1'
    end
  end
  local text = table.concat(parts, '\0')
  if not hash then
    return -2, text
  elseif fields.version or not leastVersionedBytes or #text < leastVersionedBytes then
    return #parts, text
  end
  return addVersion(sessionKey, #parts, text)
end

local reply = { 1, now }
for i = 1, #sessionKeys do
  local own = firstOwn + 2 * (i - 1)
  reply[2 * i + 1], reply[2 * i + 2] = load(sessionKeys[i], tonumber(ARGV[own]), ARGV[own + 1])
end
return reply
