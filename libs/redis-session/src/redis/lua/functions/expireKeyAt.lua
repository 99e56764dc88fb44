-- Has a key expire at a moment, epoch ms, or math.huge for never. Returns false when Redis refuses because it cannot save to its
-- disk. A full Redis takes this write, and after it all other writes of the script.
local function expireKeyAt(key, moment)
  local function write(call)
    return moment == math.huge and call('PERSIST', key) or call('PEXPIREAT', key, string.format('%.0f', moment))
  end
  local written = write(redis.pcall)
  if tonumber(written) then
    return true
  elseif string.find(written.err, 'MISCONF') then
    return false
  end
  return write(redis.call)
end
