-- Sets the fields of a hash whose names and values are ARGV[first] to ARGV[last], and gives it a new version if it has one.
-- Returns the outcome, and the new version if the caller knew the last one, otherwise ''.
local function setVersioned(sessionKey, earlierVersion, knownVersion, first, last)
  if not earlierVersion then
    redis.call('HSET', sessionKey, unpack(ARGV, first, last))
    return 1, ''
  end
  local version = nextVersion(earlierVersion)
  redis.call('HSET', sessionKey, 'version', version, unpack(ARGV, first, last))
  return 1, earlierVersion == knownVersion and version or ''
end
