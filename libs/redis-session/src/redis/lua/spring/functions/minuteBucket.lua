-- Returns the end of the minute in which a session expires, epoch ms as text: Spring names buckets by it.
local function minuteBucket(expiry)
  return string.format('%.0f', math.floor((expiry + 60000) / 60000) * 60000)
end
