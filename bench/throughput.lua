-- The module, measured: what a script with the default options gets.
--
--     throughput.lua MODE HOST PORT SIZE COUNT      prints seconds, and seconds of CPU time
--
--     rx     receives COUNT messages of SIZE bytes through an on_message that counts
--     tx     sends COUNT messages: until the queue refuses, then a step of the loop
--     rtt    COUNT round trips, one message in flight
--
-- bench/run calls it; LuaSocket is needed for its clock only.
local WebSocket = require "steadysocket"
local clock = require("socket").gettime

local mode, host, port = arg[1], arg[2], arg[3]
local size, count = math.tointeger(arg[4]), math.tointeger(arg[5])
local path = ({ rx = "flood", tx = "sink", rtt = "echo" })[mode]
local text = ("x"):rep(size)
local ws, began, cpu

local function finish()
  io.write(("%.6f %.6f\n"):format(clock() - began, os.clock() - cpu))
  os.exit(true)
end

local modes = {}

function modes.rx()
  local received = 0
  function ws.on_message(data)
    if #data ~= size then error("a message of the wrong size") end
    received = received + 1
    if received == count then finish() end
  end
  ws:send("go")
end

function modes.tx()
  function ws.on_message(data)
    assert(data == "end", data)
    finish()
  end
  local sent = 0
  while sent < count do
    if ws:send(text) then
      sent = sent + 1
    else
      WebSocket.step()
    end
  end
end

function modes.rtt()
  local received = 0
  function ws.on_message(data)
    if #data ~= size then error("a message of the wrong size") end
    received = received + 1
    if received == count then finish() end
    ws:send(text)
  end
  ws:send(text)
end

ws = WebSocket.new {
  url = ("ws://%s:%s/%s?size=%d&count=%d"):format(host, port, path, size, count),
  reconnect = false,
  on_error = function(event) error(event.message, 0) end,
  on_open = WebSocket.stop,
}
assert(ws:connect())
WebSocket.run()
began, cpu = clock(), os.clock()
modes[mode]()
WebSocket.run()
error("the connection has ended")
