-- Returns the version of a hash after this save, all of whose inputs count: only the same contents ever have the same one,
-- even those of a save that a failover has lost and of the next one.
local function nextVersion(version)
  return versionOf(version .. '\0' .. table.concat(ARGV, '\0'))
end
