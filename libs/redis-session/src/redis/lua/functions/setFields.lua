-- Sets the last access, a text, and the fields whose names and values are ARGV[first] to ARGV[last]. In one call, because each
-- costs as much as several fields; but Lua passes no more than about 8,000 values.
local function setFields(sessionKey, accessText, first, last)
  local lastOfFirstCall = math.min(last, first + 6999)
  redis.call('HSET', sessionKey, 'lastAccessedTime', accessText, unpack(ARGV, first, lastOfFirstCall))
  for i = lastOfFirstCall + 1, last, 2 do
    redis.call('HSET', sessionKey, ARGV[i], ARGV[i + 1])
  end
end
