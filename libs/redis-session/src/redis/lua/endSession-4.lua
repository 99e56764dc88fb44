--[[
  Ends one session of the indexed repository: removes the hash and its scheduled expiration, and adds the event, in one
  atomic step. On behalf of an expiration it first looks whether the session really has expired.
  Mirrors RedisIndexedSessionRepository.deleteById and its handling of expired keys of Spring Session.
  Input:
    KEYS[1] session hash
    KEYS[2] sorted set of expirations
    KEYS[3] stream of events
    KEYS[4] mark that the session was ended
    ARGV[1] latest moment at which the session may be ended, epoch ms on the clock of this server
    ARGV[2] session id
    ARGV[3] 'deleted', or 'expired' = only when its time has come; then a scheduled one without a hash has expired too
    ARGV[4] now, epoch ms, or '' for the clock of this server
    ARGV[5] absolute lifetime in ms, or '-1' for none
    ARGV[6] why it is ended, for its client and for the event, or ''
    ARGV[7] ms that the mark with this reason lives
    ARGV[8] '1' when the hash stays until its time to live ends, for other readers of it; else '0'
    ARGV[9] about how many events the stream holds at most, '0' = no events
    ARGV[10] number of names of attributes in events, '-1' = all
    ARGV[11 ...] these names
  Output, now = epoch ms on the clock of this server:
    {1, now, name, value ...} - ended; the fields of the hash that are no attributes
    {2, now, expiry, name, value ...} - it lives until then, epoch ms, and is scheduled for then; the same fields
    {3, now} - there was none, or another one has ended it
    {-2, now} - too late: nothing was written
]]
local sessionKey, expirations, events, endedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local latest, id, kind, callerNow = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local absoluteTimeout, reason, reasonLife = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local isKept, maxEvents, eventNameCount = ARGV[8] == '1', tonumber(ARGV[9]), tonumber(ARGV[10])
local firstEventName = 11

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- A key that holds no hash gives an error, which has no fields.
local hash = redis.pcall('HGETALL', sessionKey)
local isAttribute, others, times = {}, { 1, now }, {}
for i = 1, #hash, 2 do
  if string.sub(hash[i], 1, 12) == 'sessionAttr:' then
    isAttribute[i] = true
  else
    others[#others + 1], others[#others + 2] = hash[i], hash[i + 1]
    times[hash[i]] = hash[i + 1]
  end
end

if kind == 'expired' and not times.over and not times.ended then
  local created, accessed, interval = toIntegers(times.creationTime, times.lastAccessedTime, times.maxInactiveInterval)
  if created then
    local expiry = expiryOf(created, accessed, interval, absoluteTimeout)
    if expiry > (callerNow or now) then
      local alive = { 2, now, expiry == math.huge and '+inf' or string.format('%.0f', expiry) }
      if expiry == math.huge then
        redis.call('ZREM', expirations, id)
      else
        redis.call('ZADD', expirations, 'XX', alive[3], id)
        redis.call('HSET', sessionKey, 'indexExpiry', alive[3])
      end
      for i = 3, #others do
        alive[i + 1] = others[i]
      end
      return alive
    end
  end
end

-- The first write removes something, so that a full Redis takes those that follow.
local wasScheduled = redis.call('ZREM', expirations, id) == 1
if reason ~= '' then
  redis.call('SET', endedKey, reason, 'PX', reasonLife)
end
if not isKept then
  redis.call('DEL', sessionKey)
elseif #hash > 0 then
  redis.call('HSET', sessionKey, 'ended', '1', 'over', '1')
end
if times.ended or #hash == 0 and not (kind == 'expired' and wasScheduled) then
  return { 3, now }
end

-- At most so many fields, because a table of 8000 is too large for a call.
if maxEvents > 0 then
  local entry = { 'type', kind, 'sessionId', id, 'reason', reason }
  local wanted = {}
  for i = firstEventName, firstEventName + eventNameCount - 1 do
    wanted['sessionAttr:' .. ARGV[i]] = true
  end
  for i = 1, math.min(#hash, 7000), 2 do
    if not isAttribute[i] or eventNameCount < 0 or wanted[hash[i]] then
      entry[#entry + 1], entry[#entry + 2] = hash[i], hash[i + 1]
    end
  end
  redis.call('XADD', events, 'MAXLEN', '~', maxEvents, '*', unpack(entry))
end
return others
