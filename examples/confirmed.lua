-- Confirmed delivery: every message reaches the server, in order, also when the server is restarted
-- while they are on their way. One that was not confirmed when the connection ended is sent again,
-- so the server may see it twice; the number in each lets it tell.
--
--   lua5.4 examples/confirmed.lua [URL [COUNT]]
--
-- Sends twenty messages a second. Restart the server meanwhile.

local WebSocket = require "steadysocket"

local url, count = arg[1] or "ws://localhost:8080/", tonumber(arg[2]) or 200

io.stdout:setvbuf "line"

local ws = WebSocket.new { url = url, name = "orders", confirm = true }
ws.on_error = function(event) print(event.message) end
ws.on_close = function(event) print(("the connection ended (code %d)"):format(event.code)) end

local function report()
  local stats = ws:stats()
  print(("%d accepted: %d confirmed, %d unconfirmed, %d queued; %d sent again so far"):format(
    stats.accepted, stats.confirmed, stats.unconfirmed, stats.queued, stats.resent))
end

-- A task: in it, calls that wait let the rest go on.
WebSocket.spawn(function()
  ws:connect()
  local reports = WebSocket.every(1, report)
  for number = 1, count do
    -- While there is no connection, messages wait in the queue. It is bounded (option `queue`).
    assert(ws:send(tostring(number)))
    WebSocket.sleep(0.05)
  end
  ws:flush() -- returns when all are confirmed, however long that takes
  reports:cancel()
  report()
  ws:close()
end)

WebSocket.run()
