--[[
  Claims sessions whose time to be looked at has come, in each set the oldest first: nobody else gets them until the lease
  ends. Who does not finish in time, because he died, hands them on by this.
  Input:
    KEYS[1 ...] sorted sets of expirations
    ARGV[1] now, epoch ms
    ARGV[2] end of the lease, epoch ms
    ARGV[3] how many at most, over all sets
  Output:
    the ids, empty when nothing is due
]]
local expirations, now, leaseEnd, count = KEYS, ARGV[1], ARGV[2], tonumber(ARGV[3])

local claimed = {}
for k = 1, #expirations do
  if #claimed == count then break end
  local ids = redis.call('ZRANGEBYSCORE', expirations[k], '-inf', now, 'LIMIT', 0, count - #claimed)
  for i = 1, #ids do
    -- A full Redis takes what follows a write that removes something.
    redis.call('ZREM', expirations[k], ids[i])
    redis.call('ZADD', expirations[k], leaseEnd, ids[i])
    claimed[#claimed + 1] = ids[i]
  end
end
return claimed
