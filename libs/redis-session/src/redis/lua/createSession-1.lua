--[[
  Stores a new session in one atomic step and sets its time to live.
  Mirrors RedisSessionRepository.save of Spring Session for a new session, which takes two commands.
  Input:
    KEYS[1] session hash
    ARGV[1] latest moment at which the save may take place, epoch ms on the clock of this server
    ARGV[2] end of the session, epoch ms, or '' for never
    ARGV[3 ...] name, value for each field, the times among them; at most 1,000 of each, since Lua passes no more than about
                8,000 values to one call
  Output, now = epoch ms on the clock of this server:
    now - saved
    {-2, now} - too late: nothing was written
]]
local sessionKey = KEYS[1]
local latest, expiry, firstField = tonumber(ARGV[1]), ARGV[2], 3

local now = serverNow()
if now > latest then
  return { -2, now }
end

local added = redis.call('HSET', sessionKey, unpack(ARGV, firstField))
-- The client has sent the command again, or something else has stored a session under this id.
if 2 * added < #ARGV - firstField + 1 then
  local version = redis.call('HGET', sessionKey, 'version')
  if version then
    redis.call('HSET', sessionKey, 'version', nextVersion(version))
  end
end
if expiry == '' then
  redis.call('PERSIST', sessionKey)
else
  redis.call('PEXPIREAT', sessionKey, expiry)
end
return now
