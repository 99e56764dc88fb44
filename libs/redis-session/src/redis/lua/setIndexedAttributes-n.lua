--[[
  Sets attributes of sessions of the indexed repository whose last access is recorded already and whose indexes stay: their
  times and their times to live stay, too. The cheapest save, and the most frequent one.
  Mirrors RedisIndexedSessionRepository.save of Spring Session, which takes seven commands that others can come between.
  Input:
    KEYS[1 ...] session hashes
    ARGV[1] latest moment at which the saves may take place, epoch ms on the clock of this server
    ARGV[2] absolute lifetime in ms, or '-1' for none
    ARGV[3 ...] for each hash: version that the caller knows, or ''; number of fields; name, value for each field; at most
                1,000 fields, since Lua passes no more than about 8,000 values to one call
  Output, now = epoch ms on the clock of this server:
    now - all are saved, and the caller knows the version of none
    {1, now, outcome, version ...} - for each hash outcome 1 = saved, and the version that it now has, or '' unless it had
                                     the one that the caller knows; -1 = the session does not exist (deleted, expired,
                                     renamed), has no valid times, or the key does not hold a hash: nothing was written
                                     there
    {-2, now} - too late: nothing was written
]]
local sessionKeys, latest, absoluteTimeout, nextOwn = KEYS, tonumber(ARGV[1]), tonumber(ARGV[2]), 3

local now = serverNow()
if now > latest then
  return { -2, now }
end

local reply
for i = 1, #sessionKeys do
  local knownVersion, first = ARGV[nextOwn], nextOwn + 2
  nextOwn = first + 2 * ARGV[nextOwn + 1]
  local stored =
    redis.pcall('HMGET', sessionKeys[i], 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'over', 'version')
  if stored.err and not string.find(stored.err, 'WRONGTYPE') then
    return stored
  end
  local created, accessed, interval = toIntegers(stored[1], stored[2], stored[3])
  local outcome, version = -1, ''
  if created and not stored[4] and expiryOf(created, accessed, interval, absoluteTimeout) > now then
    outcome, version = 1, setVersioned(sessionKeys[i], stored[5], knownVersion, first, nextOwn - 1)
  end
  if outcome ~= 1 or version ~= '' then
    reply = reply or allSaved({ 1, now }, #sessionKeys)
    reply[2 * i + 1], reply[2 * i + 2] = outcome, version
  end
end
return reply or now
