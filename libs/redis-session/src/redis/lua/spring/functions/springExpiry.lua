-- Returns when a session in Spring's keys ends, epoch ms, or math.huge for never. Times are epoch ms, the idle time is in
-- seconds; 0 = it has ended, whatever the clocks of other processes say of its last access.
local function springExpiry(created, accessed, interval)
  return interval == 0 and 0 or expiryOf(created, accessed, interval, -1)
end
