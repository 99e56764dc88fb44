-- Returns the time on the clock of this server, epoch ms and epoch microseconds.
local function serverNow()
  local time = redis.call('TIME')
  local nowUs = time[1] * 1000000 + time[2]
  return math.floor(nowUs / 1000), nowUs
end
