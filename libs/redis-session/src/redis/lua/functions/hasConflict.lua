-- Whether a field under update has changed. Each is name, '1' or '0', text in ARGV from `first` on: the text it was computed
-- from, '0' = the field was absent. Appends all of them as stored to `reply`, in the same form.
local function hasConflict(sessionKey, first, count, reply)
  local hasChanged = false
  for i = first, first + 3 * count - 1, 3 do
    local name, wasPresent, text = ARGV[i], ARGV[i + 1] == '1', ARGV[i + 2]
    local stored = redis.call('HGET', sessionKey, name)
    hasChanged = hasChanged or stored ~= (wasPresent and text)
    reply[#reply + 1] = name
    reply[#reply + 1] = stored and '1' or '0'
    reply[#reply + 1] = stored or ''
  end
  return hasChanged
end
