--[[
  Takes over events that other replicas have taken and not handled in time.
  Input:
    KEYS[1 ...] streams
    ARGV[1] group
    ARGV[2] name of the consumer that gets them
    ARGV[3] ms after which an event is not handled in time
    ARGV[4 ...] for each stream: how many at most
  Output:
    for each stream a list of its events, as XAUTOCLAIM lists them
]]
local streams, group, consumer, idle, firstCount = KEYS, ARGV[1], ARGV[2], ARGV[3], 4

local taken = {}
for i = 1, #streams do
  local count = ARGV[firstCount + i - 1]
  taken[i] = redis.call('XAUTOCLAIM', streams[i], group, consumer, idle, '0-0', 'COUNT', count)[2]
end
return taken
