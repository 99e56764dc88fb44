-- Removes every attribute from a hash of Spring's.
local function dropSpringAttributes(sessionKey)
  local fields = redis.call('HKEYS', sessionKey)
  for i = 1, #fields do
    if string.sub(fields[i], 1, 12) == 'sessionAttr:' then
      redis.call('HDEL', sessionKey, fields[i])
    end
  end
end
