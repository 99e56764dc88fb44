-- Has an index end `grace` ms after its last entry, or never when that one never does.
local function endAfterLastEntry(indexKey, grace)
  local last = redis.call('ZREVRANGE', indexKey, 0, 0, 'WITHSCORES')
  if last[2] == 'inf' then
    redis.call('PERSIST', indexKey)
  else
    redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + grace))
  end
end
