-- As `hasConflict`, in Spring's keys: a field that is empty is an attribute that Spring has removed.
local function hasSpringConflict(sessionKey, first, count, reply)
  local hasChanged = false
  for i = first, first + 3 * count - 1, 3 do
    local stored = redis.call('HGET', sessionKey, ARGV[i])
    stored = stored ~= '' and stored
    hasChanged = hasChanged or stored ~= (ARGV[i + 1] == '1' and ARGV[i + 2])
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = ARGV[i], stored and '1' or '0', stored or ''
  end
  return hasChanged
end
