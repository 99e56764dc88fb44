-- Returns a whole number that a double holds exactly, or nothing for other texts: 'nan', 'inf', '1e999', '0x10'.
local function toInteger(text)
  local number = text and #text <= 17 and string.find(text, '^%-?%d+$') and tonumber(text)
  return number and math.abs(number) <= 9007199254740991 and number
end
