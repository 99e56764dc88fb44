-- Appends to a reply what it says when `count` hashes are saved and the caller knows the version of none. Returns it.
local function allSaved(reply, count)
  for i = 1, count do
    reply[2 * i + 1], reply[2 * i + 2] = 1, ''
  end
  return reply
end
