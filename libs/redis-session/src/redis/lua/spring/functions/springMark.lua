-- Returns the field that Spring sets to true when a newer login has taken the place of a session.
local function springMark()
  return 'sessionAttr:org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED'
end
