--[[
  Sets attributes of sessions whose last access is recorded already: their times and their times to live stay. The cheapest
  save, and the most frequent one.
  Mirrors RedisSessionRepository.save of Spring Session, which takes two commands that others can come between.
  Input:
    KEYS[1 ...] session hashes
    ARGV[1] latest moment at which the saves may take place, epoch ms on the clock of this server
    ARGV[2 ...] for each hash: version that the caller knows, or ''; number of fields; name, value for each field; at most
                1,000 fields, since Lua passes no more than about 8,000 values to one call
  Output, now = epoch ms on the clock of this server:
    now - all are saved, and the caller knows the version of none
    {1, now, outcome, version ...} - for each hash outcome 1 = saved, and the version that it now has, or '' unless it had
                                     the one that the caller knows; -1 = the session does not exist (deleted, expired,
                                     renamed) or the key does not hold a hash: nothing was written there
    {-2, now} - too late: nothing was written
  A hash without times, which only something foreign leaves, counts as a session.
]]
local sessionKeys, latest, nextOwn = KEYS, tonumber(ARGV[1]), 2

local now = serverNow()
if now > latest then
  return { -2, now }
end

-- One question about all keys instead of one about each.
local areAllThere = redis.call('EXISTS', unpack(sessionKeys)) == #sessionKeys
local reply
for i = 1, #sessionKeys do
  local knownVersion, first = ARGV[nextOwn], nextOwn + 2
  nextOwn = first + 2 * ARGV[nextOwn + 1]
  local earlierVersion = redis.pcall('HGET', sessionKeys[i], 'version')
  local failure = earlierVersion and earlierVersion.err
  if failure and not string.find(failure, 'WRONGTYPE') then
    return earlierVersion
  end
  local outcome, version = -1, ''
  if not failure and (areAllThere or redis.call('EXISTS', sessionKeys[i]) == 1) then
    outcome, version = 1, setVersioned(sessionKeys[i], earlierVersion, knownVersion, first, nextOwn - 1)
  end
  if outcome ~= 1 or version ~= '' then
    reply = reply or allSaved({ 1, now }, #sessionKeys)
    reply[2 * i + 1], reply[2 * i + 2] = outcome, version
  end
end
return reply or now
