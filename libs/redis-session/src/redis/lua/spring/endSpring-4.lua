--[[
  Ends one session in Spring's keys as Spring's indexed repository does: the hash stays for five minutes. A request of Spring
  that is still in flight neither fails nor logs anybody in again, and Spring's listeners still see its user.
  Not for Redis Cluster: the name of the bucket follows from the hash.
  Mirrors RedisIndexedSessionRepository.deleteById of Spring Session.
  Input:
    KEYS[1] session hash
    KEYS[2] shadow key of the indexed repository
    KEYS[3] mark that the session was ended
    KEYS[4] what the session held, for five minutes, when a newer login takes its place
    ARGV[1] latest moment at which the session may be ended, epoch ms on the clock of this server
    ARGV[2] session id
    ARGV[3] what the names of the buckets begin with, or '' for the default repository: then the attributes go at once
    ARGV[4] index of its user, or ''
    ARGV[5] why it is ended, for its client and for the event, or ''
    ARGV[6] ms that the mark with this reason lives
    ARGV[7] '1' when a newer login takes its place in the indexed repository: Spring is to tell its user
  Output, now = epoch ms on the clock of this server:
    {1, now} - ended
    {2, now} - there was none, or another one has ended it
    {-2, now} - too late: nothing was written
]]
local sessionKey, shadowKey, endedKey, leftKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local latest, id, buckets, index = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local reason, reasonLife, isReplaced = ARGV[5], ARGV[6], ARGV[7] == '1'

local now = serverNow()
if now > latest then
  return { -2, now }
end

if index ~= '' then
  redis.call('SREM', index, springMember(id))
end
local created, accessed, interval = springTimes(sessionKey)
if not created then
  redis.call('DEL', sessionKey, shadowKey)
  return { 2, now }
end
if interval == 0 then
  return { 2, now }
end
if isReplaced then
  markSpringHash(sessionKey, leftKey, id, now)
else
  endSpringHash(sessionKey, id, buckets, now)
end
if reason ~= '' then
  redis.call('SET', endedKey, reason, 'PX', reasonLife)
end
if buckets == '' then
  dropSpringAttributes(sessionKey)
  return { 1, now }
end
local bucket = minuteBucket(springExpiry(created, accessed, interval))
redis.call('SREM', buckets .. bucket, springMember('expires:' .. id))
redis.call('DEL', shadowKey)
return { 1, now }
