--[[
  Adds one session to the index of its user unless the user has as many as allowed, or says which ones have to go: those
  that were used longest ago. Two logins at the same time cannot both find the last free place.
  Mirrors ConcurrentSessionControlAuthenticationStrategy of Spring Security, which counts and adds in two steps.
  Input:
    KEYS[1] sorted set of the user's sessions, by expiry
    KEYS[2] sorted set of 'login:<entry>' while the login is under way, and 'end:<entry>' while a login is about to end
            it, by the moment at which that is over
    ARGV[1] entry
    ARGV[2] its expiry, epoch ms, or '+inf' for never
    ARGV[3] entries that expired before are dropped, epoch ms
    ARGV[4] ms that entries are kept after their expiry
    ARGV[5] how many sessions are allowed
    ARGV[6] '1' when one more is refused, '0' when others go
    ARGV[7] id under which the session is stored: its entry does not count
    ARGV[8] latest moment at which the session may be added, epoch ms on the clock of this server
    ARGV[9] ms that a login takes at most: an entry without a session may be one that is about to be stored
    ARGV[10 ...] entry, last access of its session in epoch ms or '' = there is none: what is known of the others
  Output, now = epoch ms on the clock of this server:
    {1, now, entry ...} - added; those that have to go
    {-1, now, entry ...} - refused; those that count and whose login is not under way: nothing was added
    {-2, now} - too late: nothing was added
]]
local indexKey, admittedKey = KEYS[1], KEYS[2]
local entry, expiry, dropBefore, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local limit, isRefused, ownId = tonumber(ARGV[5]), ARGV[6] == '1', ARGV[7]
local latest, loginLife, firstKnown = tonumber(ARGV[8]), tonumber(ARGV[9]), 10

local now = serverNow()
if now > latest then
  return { -2, now }
end

redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', '(' .. dropBefore)
redis.call('ZREMRANGEBYSCORE', admittedKey, '-inf', now)
local lastAccess = {}
for i = firstKnown, #ARGV, 2 do
  lastAccess[ARGV[i]] = ARGV[i + 1]
end

-- An entry without a session is left alone: its session may be on the way to another id.
local entries, others, underWay = redis.call('ZRANGE', indexKey, 0, -1), {}, {}
for i = 1, #entries do
  local other = entries[i]
  underWay[other] = redis.call('ZSCORE', admittedKey, 'login:' .. other)
  local isDead = lastAccess[other] == '' and not underWay[other]
  if other ~= entry and string.match(other, '^(.*):') ~= ownId and not isDead then
    others[#others + 1] = other
  end
end
if #others >= limit and isRefused then
  local refusal = { -1, now }
  for i = 1, #others do
    if not underWay[others[i]] then
      refusal[#refusal + 1] = others[i]
    end
  end
  return refusal
end

-- What is about to end anyway goes first, so that logins at the same time do not end more than they must.
local order = {}
for i = 1, #others do
  local other = others[i]
  local admitted = underWay[other] and tonumber(underWay[other]) - loginLife
  local isEnding = redis.call('ZSCORE', admittedKey, 'end:' .. other)
  order[other] = isEnding and 0 or tonumber(lastAccess[other]) or admitted or now
end
table.sort(others, function(one, two)
  return order[one] < order[two] or order[one] == order[two] and one < two
end)

local over = string.format('%.0f', now + loginLife)
redis.call('ZADD', indexKey, expiry, entry)
redis.call('ZADD', admittedKey, over, 'login:' .. entry)
local reply = { 1, now }
for i = 1, math.min(#others, #others - limit + 1) do
  reply[i + 2] = others[i]
  redis.call('ZADD', admittedKey, over, 'end:' .. others[i])
end
redis.call('PEXPIRE', admittedKey, loginLife)
endAfterLastEntry(indexKey, grace)
return reply
