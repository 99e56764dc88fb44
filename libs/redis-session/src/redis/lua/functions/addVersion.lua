-- Gives a hash its first version. Returns the count of its fields and values and their joined text, both with the version.
local function addVersion(sessionKey, count, text)
  local version = versionOf(text)
  redis.call('HSET', sessionKey, 'version', version)
  return count + 2, text .. '\0version\0' .. version
end
