-- Gives a hash its first version. Returns the count of its fields and values and their joined text, both with the version
-- unless Redis refuses to write.
local function addVersion(sessionKey, count, text)
  local version = versionOf(text)
  local written = redis.pcall('HSET', sessionKey, 'version', version)
  if not tonumber(written) then
    return count, text
  end
  return count + 2, text .. '\0version\0' .. version
end
