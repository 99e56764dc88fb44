-- Returns what stands for a text of at most 255 bytes in Spring's sets: a string by Java serialization.
local function jdkMember(text)
  return '\172\237\0\5t\0' .. string.char(#text) .. text
end
