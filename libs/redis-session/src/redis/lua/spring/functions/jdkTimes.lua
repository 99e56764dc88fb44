-- Returns the times of a session that Spring has written by Java serialization, epoch ms, its idle time in seconds, and whether
-- it is over: a newer login has taken its place, or this library has ended it under this id. Nothing when there is no session,
-- or no valid one.
local function jdkTimes(sessionKey)
  local start = '\172\237\0\5sr\0'
  local function integer(bytes, class, size, format)
    local head = start .. string.char(#class) .. class
    if bytes and #bytes == size and string.sub(bytes, 1, #head) == head then
      return (struct.unpack(format, bytes, size - struct.size(format) + 1))
    end
  end
  local times = redis.call('HMGET', sessionKey, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', springMark(), 'ended')
  local created = integer(times[1], 'java.lang.Long', 82, '>i8')
  local accessed = integer(times[2], 'java.lang.Long', 82, '>i8')
  local interval = integer(times[3], 'java.lang.Integer', 81, '>i4')
  if created and accessed and interval then
    local endedId = string.sub(times[5] or '', 8)
    local hasEnded = endedId ~= '' and string.sub(sessionKey, -#endedId) == endedId
    return created, accessed, interval, hasEnded or (times[4] and string.sub(times[4], -1) == '\1')
  end
end
