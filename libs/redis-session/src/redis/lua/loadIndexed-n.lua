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
    ARGV[7 ...] for each hash: access time to record, epoch ms, or '' to record none
  Output, now = epoch ms on the clock of this server:
    {1, now, count, text ...} - for each hash count fields and values in turn, separated by NUL. The hash as it is after
                                the access; a changed field comes again at the end: a second indexExpiry asks the caller
                                to write the index entries again. Count 0 = there is no such session, -1 = the key does
                                not hold a hash. A hash without valid times comes as it is.
    {-2, now} - too late: nothing was read or written
]]
local sessionKeys = KEYS
local clientNow, latest, absoluteTimeout = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local touchInterval, retention, indexDelay = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local firstAccess = 7

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > latest then
  return { -2, now }
end

-- A whole number that a double holds exactly; no 'nan', 'inf', '1e999', '0x10'.
local function toInteger(text)
  local number = text and #text <= 17 and string.find(text, '^%-?%d+$') and tonumber(text)
  return number and math.abs(number) <= 9007199254740991 and number
end

local function expiryOf(created, accessed, interval)
  local idle = interval < 0 and math.huge or accessed + interval * 1000
  local absolute = absoluteTimeout < 0 and math.huge or created + absoluteTimeout
  return math.min(idle, absolute)
end

-- Returns count and text.
local function load(sessionKey, accessTime)
  local hash, fields = redis.pcall('HGETALL', sessionKey), {}
  if hash.err then
    return string.find(hash.err, 'WRONGTYPE') and -1 or redis.call('HGETALL', sessionKey), ''
  end
  for i = 1, #hash, 2 do
    fields[hash[i]] = hash[i + 1]
  end
  local created, accessed = toInteger(fields.creationTime), toInteger(fields.lastAccessedTime)
  local interval, indexExpiry = toInteger(fields.maxInactiveInterval), toInteger(fields.indexExpiry)
  if not (created and accessed and interval) then
    return #hash, table.concat(hash, '\0')
  end
  if fields.over or expiryOf(created, accessed, interval) <= clientNow then
    redis.call('HSET', sessionKey, 'over', '1')
    return 0, ''
  end

  local function set(field, number)
    local text = string.format('%.0f', number)
    redis.call('HSET', sessionKey, field, text)
    hash[#hash + 1], hash[#hash + 2] = field, text
  end
  if accessTime and accessTime > accessed and accessTime - accessed >= touchInterval then
    set('lastAccessedTime', accessTime)
    local expiry = expiryOf(created, accessTime, interval)
    if expiry ~= math.huge then
      redis.call('PEXPIREAT', sessionKey, string.format('%.0f', expiry + retention))
      if indexExpiry and indexExpiry + indexDelay < clientNow then
        set('indexExpiry', expiry)
      end
    end
  end
  return #hash, table.concat(hash, '\0')
end

local reply = { 1, now }
for i = 1, #sessionKeys do
  reply[2 * i + 1], reply[2 * i + 2] = load(sessionKeys[i], tonumber(ARGV[firstAccess + i - 1]))
end
return reply
