-- Returns what no other text has.
local function versionOf(text)
  return string.sub(redis.sha1hex(text), 1, 16)
end
