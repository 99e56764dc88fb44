--[[
  Reads one page of an index, the entries that live longest first, and drops those that ended long ago.
  Mirrors the SMEMBERS of Spring Session's findByIndexNameAndIndexValue.
  Input:
    KEYS[1] sorted set of the sessions with this value, by expiry
    ARGV[1] entries that expired before are dropped, epoch ms
    ARGV[2] how many to skip
    ARGV[3] rank of the last one of the page
  Output:
    number of entries, then the entries of the page; whether their sessions live is not known
]]
local indexKey, dropBefore, first, last = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', '(' .. dropBefore)
local reply = redis.call('ZREVRANGE', indexKey, first, last)
local page = { redis.call('ZCARD', indexKey) }
for i = 1, #reply do
  page[i + 1] = reply[i]
end
return page
