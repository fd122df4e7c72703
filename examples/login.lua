-- A login with a token that expires. `headers` is a function, called for each attempt; it fetches a
-- token when there is none. One that the server answers with 401 is thrown away.
--
--   lua5.4 examples/login.lua [URL [LOGIN_URL]]
--
-- Ends when the server closes the connection with code 1000. Needs LuaSocket, whose request blocks:
-- nothing else in this program goes on while a token is fetched, for TIMEOUT seconds at most.

local WebSocket = require "steadysocket"
local http = require "socket.http"

local url = arg[1] or "ws://localhost:8080/private"
local login_url = arg[2] or "http://user:secret@localhost:8080/token"

http.TIMEOUT = 5
io.stdout:setvbuf "line"

local token, is_new

local function fetch_token()
  local body, status = http.request(login_url)
  if status ~= 200 then error("no token: " .. tostring(status), 0) end
  return body
end

local ws = WebSocket.new {
  url = url,
  name = "login",

  -- When this raises an error, the attempt has failed, and the next one comes after a delay.
  headers = function()
    is_new = not token
    token = token or fetch_token()
    return { Authorization = "Bearer " .. token }
  end,

  -- Called before the next attempt: false stops, a number is the delay to use.
  should_reconnect = function(event)
    if event.http_status == 401 then
      token = nil
      -- An old token has expired: try a new one at once. If a new one is not taken either, the
      -- delays grow as usual.
      if not is_new then return 0 end
    end
    return event.code ~= 1000
  end,

  on_open = function() print "logged in" end,
  on_message = function(data) print(data) end,
  on_error = function(event) print(event.message) end,
  on_close = function(event) print("the connection ended: " .. event.code) end,
}

ws:connect()
WebSocket.run()
