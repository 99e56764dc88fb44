--[[
  Sets attributes of a session of the indexed repository whose last access is recorded already and whose indexes stay: its
  times and its time to live stay, too. The cheapest save, and the most frequent one.
  Mirrors RedisIndexedSessionRepository.save of Spring Session, which takes seven commands that others can come between.
  Input:
    KEYS[1] session hash
    ARGV[1] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[2] version that the caller knows, or ''
    ARGV[3] absolute lifetime in ms, or '-1' for none
    ARGV[4 ...] name, value for each field; at most 1,000 of each, since Lua passes no more than about 8,000 values to one call
  Output, now = epoch ms on the clock of this server:
    now - saved
    {1, now, version or ''} - saved a hash with a version: the new one, unless it did not have the one that the caller knows
    {-1, now} - the session does not exist (deleted, expired, renamed) or has no valid times: nothing was written
    {-2, now} - too late: nothing was written
]]
local sessionKey = KEYS[1]
local latest, knownVersion, absoluteTimeout, firstField = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), 4

local now = serverNow()
if now > latest then
  return { -2, now }
end

local stored = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'over', 'version')
local created, accessed, interval = toIntegers(stored[1], stored[2], stored[3])
if not created or stored[4] or expiryOf(created, accessed, interval, absoluteTimeout) <= now then
  return { -1, now }
end
local earlierVersion = stored[5]
if not earlierVersion then
  redis.call('HSET', sessionKey, unpack(ARGV, firstField))
  return now
end
local version = nextVersion(earlierVersion)
redis.call('HSET', sessionKey, 'version', version, unpack(ARGV, firstField))
return { 1, now, earlierVersion == knownVersion and version or '' }
