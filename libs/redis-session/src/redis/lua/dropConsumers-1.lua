--[[
  Removes consumers of a group that have nothing in hand: with one, its events would be lost. One that comes back is made
  anew by its next read.
  Input:
    KEYS[1] stream
    ARGV[1] group
    ARGV[2] ms after which a consumer is removed that was not seen
    ARGV[3] '1' when the consumer ARGV[4] is removed at once, else '0'
    ARGV[4] name of that consumer
  Output:
    how many were removed
]]
local stream, group, idle, hasName, name = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4]

local consumers, dropped = redis.call('XINFO', 'CONSUMERS', stream, group), 0
for i = 1, #consumers do
  local consumer = {}
  for j = 1, #consumers[i], 2 do
    consumer[consumers[i][j]] = consumers[i][j + 1]
  end
  local isGone = consumer.idle >= idle or hasName and consumer.name == name
  if isGone and consumer.pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
    dropped = dropped + 1
  end
end
return dropped
