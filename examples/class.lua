-- The script of the JavaScript class, line by line: above each line of Lua is the JavaScript that
-- does the same.
--
--   lua5.4 examples/class.lua [URL]
--
-- Asks twice a second, says bye after two seconds, and closes when the server says bye too; an
-- echo server does.

-- import WebSocketClass from './websocket';
local WebSocket = require "steadysocket"

-- const url = 'ws://localhost:8080/';
local url = arg[1] or "ws://localhost:8080/"

-- let ws, timer;
local ws, timer

-- const msgCallback = (data) => {
local function msg_callback(data)
  -- console.log(ws.name, ws.status, data);
  print(ws.name, ws.status, data)
  -- if (data === 'bye') {
  if data == "bye" then
    -- clearInterval(timer);
    timer:cancel()
    -- ws.closeMyself();
    ws:close()
  end
end

-- ws = new WebSocketClass(url, msgCallback, 'prices');
-- ws.heartCheck();
ws = WebSocket.new {
  url = url,
  on_message = msg_callback,
  name = "prices",
  heartbeat = { message = "ping", reply = "pong", interval = 10, timeout = 10 },
}

-- console.log(ws.status); // null
print(ws.status) -- "idle"

-- ws.connect('subscribe');
ws:connect("subscribe")

-- timer = setInterval(() => ws.sendHandle('how much?'), 500);
timer = WebSocket.every(0.5, function() ws:send("how much?") end)

-- setTimeout(() => ws.sendHandle('bye'), 2000);
WebSocket.after(2, function() ws:send("bye") end)

-- In a browser the page goes on by itself. Here the program does, until nothing is left to do.
WebSocket.run()

-- console.log(ws.status); // 'close'
print(ws.status) -- "closed"
