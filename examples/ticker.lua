-- A price ticker. A new connection knows nothing of what the last one had subscribed to, so the
-- subscriptions are sent in on_open, for each connection anew and before anything else.
--
--   lua5.4 examples/ticker.lua [URL [COUNT]]
--
-- Ends after COUNT prices, if that is given, else with Ctrl-C.

local WebSocket = require "steadysocket"

local url = arg[1] or "ws://localhost:8080/prices"
local left = tonumber(arg[2]) or math.huge

io.stdout:setvbuf "line"

local ws = WebSocket.new(url, function(price, _, ws)
  if ws.status ~= "open" then return end -- sent before the server had heard of close()
  print(os.date "%H:%M:%S", price)
  left = left - 1
  if left <= 0 then ws:close() end
end, "ticker")

ws.on_open = function(event)
  print(event.reconnected and "connected again" or "connected")
  for _, symbol in ipairs { "EUR/USD", "GBP/USD" } do
    ws:send("subscribe " .. symbol)
  end
end

ws.on_close = function(event)
  if event.will_reconnect then
    print(("no prices: the connection ended (code %d); next attempt in %.1f s"):format(
      event.code, event.delay))
  end
end

-- An attempt that failed. Later ones follow, after longer and longer delays.
ws.on_error = function(event) print("no prices: " .. event.message) end

ws:connect()
WebSocket.run()
