-- Returns what stands for a text in Spring's sets: JSON. Ids and names of buckets need no escapes.
local function springMember(text)
  return '"' .. text .. '"'
end
