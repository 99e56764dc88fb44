-- Returns a `java.lang.Long` ('>i8') or a `java.lang.Integer` ('>i4') by Java serialization.
local function jdkNumber(number, format)
  local class = '\0\14java.lang.Long\59\139\228\144\204\143\35\223\2\0\1J'
  if format == '>i4' then
    class = '\0\17java.lang.Integer\18\226\160\164\247\129\135\56\2\0\1I'
  end
  local parent = 'xr\0\16java.lang.Number\134\172\149\29\11\148\224\139\2\0\0xp'
  return '\172\237\0\5sr' .. class .. '\0\5value' .. parent .. struct.pack(format, number)
end
