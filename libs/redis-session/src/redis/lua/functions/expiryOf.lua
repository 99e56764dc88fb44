-- Returns when a session ends, epoch ms, or math.huge for never. Times are epoch ms, the interval is in seconds, negative =
-- never, the absolute lifetime in ms, negative = none.
local function expiryOf(created, accessed, interval, absoluteTimeout)
  local idle = interval < 0 and math.huge or accessed + interval * 1000
  if absoluteTimeout < 0 then
    return idle
  end
  return math.min(idle, created + absoluteTimeout)
end
