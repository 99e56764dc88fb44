-- Returns a version that a hash has never had, when its last one is `stored` or it has none.
local function nextVersion(stored, nowUs)
  return string.format('%.0f', math.max(nowUs, (toInteger(stored) or 0) + 1))
end
