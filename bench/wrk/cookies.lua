-- Sends one request over and over, each time with the next cookie of the file COOKIES (one `name=value` a line; without
-- the variable none is sent). METHOD and REQUEST_PATH say which request.
local method, path = os.getenv('METHOD'), os.getenv('REQUEST_PATH')
local requests, count, at = {}, 0, 0

function init()
  local file = os.getenv('COOKIES')
  if not file then
    requests[1] = wrk.format(method, path)
  else
    for cookie in io.lines(file) do
      requests[#requests + 1] = wrk.format(method, path, { Cookie = cookie })
    end
  end
  count = #requests
end

function request()
  at = at % count + 1
  return requests[at]
end

dofile(os.getenv('REPORT'))
