-- Sets the fields of a hash whose names and values are ARGV[first] to ARGV[last], and gives it a new version if it has one.
-- Returns the new version if the caller knew the last one, otherwise ''.
local function setVersioned(sessionKey, earlierVersion, knownVersion, first, last)
  if not earlierVersion then
    redis.call('HSET', sessionKey, unpack(ARGV, first, last))
    return ''
  end
  local version = versionOf(earlierVersion .. '\0' .. table.concat(ARGV, '\0', first, last))
  redis.call('HSET', sessionKey, 'version', version, unpack(ARGV, first, last))
  return earlierVersion == knownVersion and version or ''
end
