--[[
  Claims sessions whose time to be looked at has come, oldest first: nobody else gets them until the lease ends. Who
  does not finish in time, because he died, hands them on by this.
  Input:
    KEYS[1] sorted set of expirations
    ARGV[1] now, epoch ms
    ARGV[2] end of the lease, epoch ms
    ARGV[3] how many at most
  Output:
    the ids, empty when nothing is due
]]
local expirations, now, leaseEnd, count = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local ids = redis.call('ZRANGEBYSCORE', expirations, '-inf', now, 'LIMIT', 0, count)
for i = 1, #ids do
  redis.call('ZADD', expirations, leaseEnd, ids[i])
end
return ids
