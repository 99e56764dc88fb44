--[[
  Stores a new session of the indexed repository in one atomic step: sets its time to live, schedules its expiration, and
  adds an event.
  Mirrors RedisIndexedSessionRepository.save of Spring Session for a new session, which takes five commands.
  Input:
    KEYS[1] session hash
    KEYS[2] sorted set of expirations
    KEYS[3] stream of events
    KEYS[4] mark that the session was ended
    ARGV[1] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[2] session id
    ARGV[3] end of the session, epoch ms, or '' for never
    ARGV[4] end of the hash, epoch ms, or '' for never
    ARGV[5] '1' when expirations are kept in KEYS[2], else '0'
    ARGV[6] about how many events the stream holds at most, '0' = no event
    ARGV[7] how many of the fields go into the event: the first ones
    ARGV[8 ...] name, value for each field, the times among them
  Output, now = epoch ms on the clock of this server:
    now - saved
    {-1, now} - somebody has ended the session meanwhile: nothing was written
    {-2, now} - too late: nothing was written
]]
local sessionKey, expirations, events, endedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local latest, id, expiry, hashEnd = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local hasExpirations, maxEvents, eventFieldCount, firstField = ARGV[5] == '1', ARGV[6], ARGV[7], 8

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- The client has sent the command again, or something else has stored a session under this id.
local isKnown = redis.call('EXISTS', sessionKey, endedKey) > 0
if isKnown then
  if redis.call('EXISTS', endedKey) == 1 then
    return { -1, now }
  end
  local version = redis.call('HGET', sessionKey, 'version')
  if version then
    redis.call('HSET', sessionKey, 'version', nextVersion(version))
  end
end

-- Lua passes no more than about 8,000 values to one call.
for i = firstField, #ARGV, 7000 do
  redis.call('HSET', sessionKey, unpack(ARGV, i, math.min(i + 6999, #ARGV)))
end
if expiry == '' then
  redis.call('PERSIST', sessionKey)
  redis.call('ZREM', expirations, id)
else
  redis.call('PEXPIREAT', sessionKey, hashEnd)
  if hasExpirations then
    redis.call('ZADD', expirations, expiry, id)
  end
end

if maxEvents ~= '0' and not isKnown then
  local lastOfEvent = math.min(firstField + 2 * eventFieldCount - 1, firstField + 6999)
  redis.call('XADD', events, 'MAXLEN', '~', maxEvents, '*', 'type', 'created', 'sessionId', id,
    unpack(ARGV, firstField, lastOfEvent))
end
return now
