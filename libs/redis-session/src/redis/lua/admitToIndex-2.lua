--[[
  Adds one session to the index of its user unless the user has as many as allowed, or says which ones have to go. Two
  logins at the same time cannot both find the last free place.
  Mirrors ConcurrentSessionControlAuthenticationStrategy of Spring Security, which counts and adds in two steps.
  Input:
    KEYS[1] sorted set of the user's sessions, by expiry
    KEYS[2] sorted set of entries that were admitted lately, by the moment at which their login is over
    ARGV[1] entry
    ARGV[2] its expiry, epoch ms, or '+inf' for never
    ARGV[3] entries that expired before are dropped, epoch ms
    ARGV[4] ms that entries are kept after their expiry
    ARGV[5] how many sessions are allowed
    ARGV[6] '1' when one more is refused, '0' when the oldest go
    ARGV[7] id under which the session is stored: its entry does not count
    ARGV[8] now, epoch ms
    ARGV[9] ms that a login takes at most: an entry without a session may be one that is about to be stored
    ARGV[10 ...] entries that have turned out to have no session
  Output:
    {1, now, entry ...} - added; those that have to go
    {-1, now, entry ...} - refused; those that count and were not admitted lately: nothing was added
]]
local indexKey, admittedKey = KEYS[1], KEYS[2]
local entry, expiry, dropBefore, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local limit, isRefused, ownId = tonumber(ARGV[5]), ARGV[6] == '1', ARGV[7]
local now, loginLife, firstDead = ARGV[8], tonumber(ARGV[9]), 10

redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', '(' .. dropBefore)
redis.call('ZREMRANGEBYSCORE', admittedKey, '-inf', now)
for i = firstDead, #ARGV do
  if not redis.call('ZSCORE', admittedKey, ARGV[i]) then
    redis.call('ZREM', indexKey, ARGV[i])
  end
end

local entries, others = redis.call('ZRANGE', indexKey, 0, -1), {}
for i = 1, #entries do
  if entries[i] ~= entry and string.match(entries[i], '^(.*):') ~= ownId then
    others[#others + 1] = entries[i]
  end
end
if #others >= limit and isRefused then
  local doubtful = { -1, now }
  for i = 1, #others do
    if not redis.call('ZSCORE', admittedKey, others[i]) then
      doubtful[#doubtful + 1] = others[i]
    end
  end
  return doubtful
end

redis.call('ZADD', indexKey, expiry, entry)
redis.call('ZADD', admittedKey, string.format('%.0f', tonumber(now) + loginLife), entry)
redis.call('PEXPIRE', admittedKey, loginLife)
local last = redis.call('ZREVRANGE', indexKey, 0, 0, 'WITHSCORES')
if last[2] == 'inf' then
  redis.call('PERSIST', indexKey)
else
  redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + grace))
end
local reply = { 1, now }
for i = 1, #others - limit + 1 do
  reply[i + 2] = others[i]
end
return reply
