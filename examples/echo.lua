-- Talks to an echo server and shows what happens, also when the server goes away.
--
--   lua5.4 examples/echo.lua URL [CA_FILE] [--until-reconnected]
--
-- Sends "hello", then a numbered message every half second, and closes after six echoes, or at
-- Ctrl-C; with --until-reconnected it goes on until the connection has been lost and made again.

local WebSocket = require "steadysocket"

local url, ca_file, until_reconnected
for _, argument in ipairs(arg) do
  if argument == "--until-reconnected" then
    until_reconnected = true
  elseif not url then
    url = argument
  else
    ca_file = argument
  end
end
if not url then
  io.stderr:write("usage: echo.lua URL [CA_FILE] [--until-reconnected]\n")
  os.exit(2)
end

io.stdout:setvbuf("line")
local function show(...)
  print(os.date("%H:%M:%S  ") .. string.format(...))
end

local sent, echoes, reconnected, ticker = 0, 0, false, nil

local ws = WebSocket.new {
  url = url,
  name = "echo",
  tls = { ca_file = ca_file },

  on_open = function(event)
    reconnected = reconnected or event.reconnected
    show(event.reconnected and "connected again (attempt %d)" or "connected", event.attempt)
  end,

  on_message = function(data, _, ws)
    echoes = echoes + 1
    show("message: %s", data)
    if echoes >= 6 and (reconnected or not until_reconnected) then
      ticker:cancel()
      ws:close()
    end
  end,

  on_error = function(event)
    show("error: %s", event.message)
    if event.will_reconnect then show("waiting %.1f s", event.delay) end
  end,

  on_close = function(event)
    if event.will_reconnect then
      show("lost (code %d)", event.code)
      show("waiting %.1f s", event.delay)
    else
      show("closed (code %d, %s)", event.code, event.clean and "clean" or "not clean")
    end
  end,
}

-- While the connection is down, what is sent waits in the queue and goes out after it is back.
ticker = WebSocket.every(0.5, function()
  sent = sent + 1
  assert(ws:send("message " .. sent))
end)

assert(ws:connect("hello"))

-- At Ctrl-C, lua5.4 raises an error in the handler or timer that is next, and run() raises it here.
local ok, problem = pcall(WebSocket.run)
if not ok then
  if not tostring(problem):find("interrupted!", 1, true) then error(problem, 0) end
  ticker:cancel()
  ws:close()
  WebSocket.run() -- until the closing handshake is done
  os.exit(130, true)
end
