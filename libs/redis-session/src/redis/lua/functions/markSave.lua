-- Notes that a save is done. The mark outlives the moment after which the save is too late by ten seconds: sent again by the client,
-- it then says that it is done, and not that it comes too late.
local function markSave(markKey, latest, now)
  redis.call('SET', markKey, '', 'PX', string.format('%.0f', latest - now + 10000))
end
