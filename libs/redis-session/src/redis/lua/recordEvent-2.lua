--[[
  Adds an event to the stream that all replicas read, unless another replica has added it.
  Input:
    KEYS[1] mark that this very event is recorded
    KEYS[2] stream of events
    ARGV[1] latest moment at which the event may be recorded, epoch ms on the clock of this server
    ARGV[2] ms that the mark lives
    ARGV[3] about how many events the stream holds at most
    ARGV[4] what the type of the event is, ARGV[5 ...] its fields, names and values in turn
  Output, now = epoch ms on the clock of this server:
    {1, now} - recorded
    {2, now} - another replica has recorded it
    {-2, now} - too late: nothing was written
]]
local markKey, events = KEYS[1], KEYS[2]
local latest, markLife, maxEvents, kind = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local firstField = 5

local now = serverNow()
if now > latest then
  return { -2, now }
end

if not redis.call('SET', markKey, '', 'NX', 'PX', markLife) then
  return { 2, now }
end
-- At most so many fields, because a table of 8000 is too large for a call.
local lastField = math.min(#ARGV, firstField + 6999)
redis.call('XADD', events, 'MAXLEN', '~', maxEvents, '*', 'type', kind, unpack(ARGV, firstField, lastField))
return { 1, now }
