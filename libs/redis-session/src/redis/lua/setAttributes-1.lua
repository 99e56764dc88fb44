--[[
  Sets attributes of a session whose last access is recorded already: its times and its time to live stay. The cheapest
  save, and the most frequent one.
  Mirrors RedisSessionRepository.save of Spring Session, which takes two commands that others can come between.
  Input:
    KEYS[1] session hash
    ARGV[1] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[2] version that the caller knows, or ''
    ARGV[3 ...] name, value for each field; at most 1,000 of each, since Lua passes no more than about 8,000 values to one call
  Output, now = epoch ms on the clock of this server:
    now - saved
    {1, now, version or ''} - saved a hash with a version: the new one, unless it did not have the one that the caller knows
    {-1, now} - the session does not exist (deleted, expired, renamed): nothing was written
    {-2, now} - too late: nothing was written
]]
local sessionKey = KEYS[1]
local latest, knownVersion, firstField = tonumber(ARGV[1]), ARGV[2], 3

local now = serverNow()
if now > latest then
  return { -2, now }
end

local stored = redis.call('HMGET', sessionKey, 'creationTime', 'version')
if not stored[1] then
  return { -1, now }
end
if not stored[2] then
  redis.call('HSET', sessionKey, unpack(ARGV, firstField))
  return now
end
local version = nextVersion(stored[2])
redis.call('HSET', sessionKey, 'version', version, unpack(ARGV, firstField))
return { 1, now, stored[2] == knownVersion and version or '' }
