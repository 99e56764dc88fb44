--[[
  Deletes one session of the indexed repository and its scheduled expiration in one atomic step, where no events are kept.
  A late deletion is harmless.
  Mirrors RedisIndexedSessionRepository.deleteById of Spring Session.
  Input:
    KEYS[1] session hash
    KEYS[2] sorted set of expirations
    KEYS[3] mark that the session was ended
    ARGV[1] session id
    ARGV[2] why it is ended, for its client, or ''
    ARGV[3] ms that the mark with this reason lives
    ARGV[4 ...] names of the fields to answer
  Output:
    the texts of these fields, false = absent; empty when there was no such session
]]
local sessionKey, expirations, endedKey = KEYS[1], KEYS[2], KEYS[3]
local id, reason, reasonLife, firstName = ARGV[1], ARGV[2], ARGV[3], 4

local texts = redis.pcall('HMGET', sessionKey, unpack(ARGV, firstName))
-- The first write removes something, so that a full Redis takes those that follow.
redis.call('ZREM', expirations, id)
if reason ~= '' then
  redis.call('SET', endedKey, reason, 'PX', reasonLife)
end
local wasThere = redis.call('DEL', sessionKey) == 1
return wasThere and not texts.err and texts or {}
