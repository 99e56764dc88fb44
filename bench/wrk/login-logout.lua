-- Logs in, and logs out the sessions that the logins have made: half of the requests are logins.
local login
local sessions = {}

function init()
  login = wrk.format('POST', '/login')
end

function request()
  local cookie = table.remove(sessions)
  if not cookie then
    return login
  end
  return wrk.format('POST', '/logout', { Cookie = cookie })
end

function response(_, headers)
  local line = headers['Set-Cookie'] or headers['set-cookie']
  local cookie = line and string.match(line, '^[^=]+=[^;]+')
  if cookie then
    sessions[#sessions + 1] = cookie
  end
end

dofile(os.getenv('REPORT'))
