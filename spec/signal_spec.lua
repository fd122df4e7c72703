-- Programs that get signals while they run.

local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"
local compiled = require "support.compiled"

-- Signals from outside, which interrupt system calls, while it sends and receives, and while nothing
-- happens.
local CATCH = [[
local process = require "process"
local WebSocket = require "steadysocket"
local url, ca_file, name = table.unpack(arg)
local ws = WebSocket.new { url = url, tls = { ca_file = ca_file }, confirm = true }
ws.on_close = function(event) error("closed with " .. event.code) end
ws.on_error = function(event) error(event.message) end
process.catch(name)
ws:connect()
os.execute(("unset LD_PRELOAD; while kill -%s %d 2> /dev/null; do sleep 0.002; done &"):format(name, process.id()))
for _, state in ipairs { "talking", "idle" } do
  local before, rounds = process.caught(name), 0
  WebSocket.spawn(function()
    while process.caught(name) < before + 30 or rounds < 20 do
      rounds = rounds + 1
      ws:send(("x"):rep(100000))
      assert(#ws:receive(10) == 100000)
      if state == "idle" then WebSocket.sleep(0.03) end
    end
    WebSocket.stop()
  end)
  WebSocket.run()
  print(state)
end
os.exit(true) -- in time for the shell that sends
]]

local END = [[
local process = require "process"
local WebSocket = require "steadysocket"
local ws = WebSocket.new { url = arg[1], tls = { ca_file = arg[2] } }
ws.on_open = function() os.execute(("kill -%s %d &"):format(arg[3], process.id())) end
ws:connect()
WebSocket.run()
]]

-- Writes to a connection that is gone, again and again, with what SIGPIPE does by default.
local WRITE = [[
local process = require "process"
local WebSocket = require "steadysocket"
local lost = 0
local ws = WebSocket.new {
  url = arg[1],
  tls = { ca_file = arg[2] },
  reconnect = { min_delay = 0, max_delay = 0 },
  heartbeat = false,
  queue = { overflow = "drop_oldest", max_bytes = 4000000 },
}
ws.on_close = function()
  lost = lost + 1
  if lost == 15 then ws:close() end
end
ws.on_open = function()
  process.default "PIPE" -- libwebsockets has it ignored when it is set up
  for _ = 1, 3 do ws:send(("x"):rep(1000000)) end
end
-- A write between two looks at the socket finds it gone.
WebSocket.every(0.001, function()
  ws:send(("x"):rep(100000))
end)
ws.on_status = function(status)
  if status == "closed" then WebSocket.stop() end
end
ws:connect "first"
WebSocket.run()
print(lost)
]]

-- A server that resets each connection at another point of the TLS handshake, in the same process.
local RESET = [[
local process = require "process"
local socket = require "socket"
local ssl = require "ssl"
local WebSocket = require "steadysocket"
local context = assert(ssl.newcontext {
  mode = "server", protocol = arg[3], certificate = arg[1], key = arg[2], verify = "none",
})
local listener = assert(socket.bind("127.0.0.1", 0))
listener:settimeout(0)
local failures, points = 0, 0

local function reset(conn, raw)
  if conn ~= raw then raw:setfd(conn:getfd()) end
  raw:setoption("linger", { on = true, timeout = 0 })
  if conn ~= raw then raw:setfd(-1) end
  conn:close()
end

local function serve()
  local raw = listener:accept()
  if not raw then return end
  points = points + 1
  raw:settimeout(0)
  if points % 4 == 1 then return reset(raw, raw) end
  local conn = assert(ssl.wrap(raw, context))
  conn:settimeout(0)
  local left = points % 4
  local watch
  watch = WebSocket.every(0.001, function()
    local done = conn:dohandshake()
    left = left - 1
    if left > 0 and not done then return end
    watch:cancel()
    reset(conn, raw)
  end)
end
local server = WebSocket.every(0.001, serve)

local ws = WebSocket.new {
  url = ("wss://127.0.0.1:%d/"):format((select(2, listener:getsockname()))),
  tls = { verify = false },
  reconnect = { min_delay = 0, max_delay = 0 },
}
local function failed()
  failures = failures + 1
  if failures == 40 then ws:close() end
end
ws.on_error = failed
ws.on_close = failed
ws.on_status = function(status)
  process.default "PIPE"
  if status == "closed" then server:cancel() end
end
ws:connect "first"
WebSocket.run()
print(failures)
]]

-- What becomes of SIGPIPE in this process and in one that it starts, before and behind a connection.
local DISPOSITION = [[
local WebSocket = require "steadysocket"
local function ignored(file)
  for line in file:lines() do
    local mask = line:match "^SigIgn:%s+(%x+)"
    if mask then return tonumber(mask, 16) >> 12 & 1 end
  end
end
local function tell()
  local pipe = io.popen "cat /proc/self/status"
  print(ignored(io.open "/proc/self/status"), ignored(pipe))
  pipe:close()
end
tell()
local ws = WebSocket.new { url = arg[1], tls = { ca_file = arg[2] } }
ws.on_open = function() ws:close() end
ws:connect()
WebSocket.run()
tell()
]]

describe("A signal", function()
  local folder, why

  setup(function() folder, why = compiled.object "process" end)

  teardown(function()
    if folder then os.execute("rm -rf " .. folder) end
  end)

  after_each(Server.stop_all)

  local function run(code, path, secure, argument)
    local server = Server.start { tls = secure and certs.good or nil }
    local here = package.cpath
    package.cpath = folder .. "/?.so;" .. here
    local url = server:url(path, secure and "localhost" or nil)
    local result = child.run(code, { url, certs.good.ca, argument })
    package.cpath = here
    return result
  end

  local function spec(name, fn)
    it(name, function()
      if folder then fn() else pending(why) end
    end)
  end

  for _, secure in ipairs { false, true } do
    local over = secure and ", over wss" or ", over ws"

    for _, name in ipairs(secure and { "USR1" } or { "USR1", "CHLD", "WINCH" }) do
      spec(("%s that a handler catches goes unnoticed"):format(name) .. over, function()
        assert.same({ out = "talking\nidle\n", err = "", code = 0 },
          run(CATCH, "/echo", secure, name))
      end)
    end

    spec("PIPE does not come of a write to a connection that was reset" .. over, function()
      assert.same({ out = "15\n", err = "", code = 0 }, run(WRITE, "/reset", secure))
    end)
  end

  for name, version in pairs { ["1.2"] = "tlsv1_2", ["1.3"] = "tlsv1_3" } do
    spec("PIPE does not come of a server that resets during its handshake with TLS " .. name, function()
      local here = package.cpath
      package.cpath = folder .. "/?.so;" .. here
      local result = child.run(RESET, { certs.good.cert, certs.good.key, version })
      package.cpath = here
      assert.same({ out = "40\n", err = "", code = 0 }, result)
    end)
  end

  for _, secure in ipairs { false, true } do
    spec("PIPE does after a connection what it did before" .. (secure and ", over wss" or ", over ws"), function()
      if not io.open "/proc/self/status" then return pending "this system has no /proc" end
      local result = run(DISPOSITION, "/echo", secure)
      local before, after = result.out:match "^(%d\t%d\n)(%d\t%d\n)$"
      assert.is_not_nil(before, result.err)
      assert.equal(before, after)
    end)
  end

  spec("TERM ends the program, as everywhere", function()
    assert.equal(143, run(END, "/echo", false, "TERM").code)
  end)
end)
