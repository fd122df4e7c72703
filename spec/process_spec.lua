-- The end of a process, or of a Lua state, at any moment. Each case is a child: a mistake here is a
-- crash, a hang, or a wrong exit code.

local Peer = require "support.peer"
local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"

-- A child that gets into a state, then ends in some way.
local CHILD = [[
local WebSocket = require "steadysocket"
local state, way, url = arg[1], arg[2], arg[3]

local ws, finish

-- Each: gets there, calling finish in a handler.
local states = {
  idle = function()
    ws:send "queued"
    WebSocket.after(0, finish)
  end,
  connecting = function() -- to a server that does not answer
    ws:connect "first"
    WebSocket.after(0.03, finish)
  end,
  beginning = function()
    ws.on_status = finish
    ws:connect "first"
  end,
  open = function()
    ws.on_open = finish
    ws:connect "first"
  end,
  talking = function()
    local count = 0
    ws.on_message = function()
      count = count + 1
      if count == 10 then finish() end
      for _ = 1, 10 do ws:send(("x"):rep(10000)) end
    end
    ws:connect "first"
  end,
  paused = function()
    ws.on_open = function()
      ws:send "to be echoed"
      ws:pause()
      WebSocket.after(0.03, finish)
    end
    ws:connect()
  end,
  waiting = function()
    ws.on_status = function(status)
      if status == "waiting" then finish() end
    end
    ws:connect "first"
  end,
  closing = function()
    ws.on_open = function() ws:close() end
    ws.on_status = function(status)
      if status == "closing" then finish() end
    end
    ws:connect()
  end,
  ["closing handshake"] = function()
    ws.on_open = function()
      ws:close()
      WebSocket.after(0, finish)
    end
    ws:connect()
  end,
  closed = function()
    ws.on_open = function() ws:close() end
    ws.on_status = function(status)
      if status == "closed" then finish() end
    end
    ws:connect()
  end,
  reconnecting = function()
    ws.on_open = function()
      ws:reconnect()
      WebSocket.after(0, finish)
    end
    ws:connect()
  end,
  failing = function()
    ws.on_error = finish
    ws:connect()
  end,
  ["asked for its URL"] = function() -- by its own function, see below
    ws:connect "first"
  end,
  ["asked for its headers"] = function()
    ws:connect "first"
  end,
  ["asked whether to reconnect"] = function()
    ws.should_reconnect = finish
    ws:connect()
  end,
  ["logging"] = function()
    ws.log = finish
    ws:connect()
  end,
  ["told of its end"] = function()
    ws.on_open = function() ws:reconnect() end
    ws.on_close = finish
    ws:connect()
  end,
  ["told of a pong"] = function()
    ws.on_open = function() ws:ping "x" end
    ws.on_pong = finish
    ws:connect()
  end,
  ["told of an empty queue"] = function()
    ws.on_open = function()
      for _ = 1, 100 do ws:send(("x"):rep(20000)) end
    end
    ws.on_drain = finish
    ws:connect()
  end,
  ["used by a task"] = function()
    ws.on_message = nil
    WebSocket.spawn(function()
      ws:connect "first"
      ws:receive()
      finish()
    end)
  end,
  ["flushed by a task"] = function()
    WebSocket.spawn(function()
      for _ = 1, 100 do ws:send(("x"):rep(20000)) end
      ws:flush()
    end)
    ws.on_open = function() WebSocket.after(0, finish) end
    ws:connect()
  end,
}

local ways = {
  -- In the handler.
  ["os.exit(3, true) in a handler"] = function() os.exit(3, true) end,
  ["os.exit(3) in a handler"] = function() os.exit(3) end,
  ["an error in a handler"] = function() error "on purpose" end,
}

-- Behind run, when stop has ended it.
local behind = {
  ["os.exit(3, true)"] = function() os.exit(3, true) end,
  ["os.exit(3)"] = function() os.exit(3) end,
  ["an error"] = function() error "on purpose" end,
  ["the end of the program"] = function() end,
  ["garbage collection"] = function()
    ws, WebSocket, package.loaded["steadysocket"] = nil, nil, nil
    collectgarbage()
    collectgarbage()
  end,
  ["an exit from a coroutine"] = function()
    coroutine.wrap(function() os.exit(3, true) end)()
  end,
  ["finalizers that use what is gone"] = function()
    local timer = WebSocket.every(1, print)
    for _ = 1, 3 do
      setmetatable({}, { __gc = function()
        for _, name in ipairs { "send", "close", "connect", "reconnect", "pause" } do
          pcall(ws[name], ws, "data")
        end
        pcall(tostring, ws)
        pcall(timer.cancel, timer)
        pcall(WebSocket.after, 1000, print)
        pcall(WebSocket.new, "ws://127.0.0.1:1/")
        pcall(WebSocket.step, 0)
        pcall(WebSocket.stop)
        pcall(WebSocket.fd)
        pcall(WebSocket.timeout)
      end })
    end
  end,
}

-- Made before the loop, so finalized after it.
local early = setmetatable({}, { __gc = function()
  if way ~= "finalizers that use what is gone" then return end
  pcall(function() ws:send "data" end)
  pcall(WebSocket.after, 1000, print)
  pcall(WebSocket.new, "ws://127.0.0.1:1/")
  pcall(WebSocket.step)
end })

ws = WebSocket.new {
  url = state == "asked for its URL" and function() finish() return url end or url,
  headers = state == "asked for its headers" and function() finish() return {} end or nil,
  name = "child",
  reconnect = { min_delay = 60, max_delay = 60, jitter = 0 },
  tls = { verify = false },
}

-- Once the end has come nothing may be called any more.
local over = false
for _, name in ipairs { "on_open", "on_message", "on_close", "on_error", "on_status" } do
  ws[name] = function() if over then print("a call of " .. name) end end
end
WebSocket.every(0.001, function() if over then print "a call of a timer" end end)

function finish()
  if over then return print "the end came twice" end
  if ways[way] then
    over = true
    ways[way]()
  else
    WebSocket.stop()
  end
end

states[state]()
WebSocket.run()
over = way ~= "finalizers that use what is gone" -- which call step
behind[way]()
]]

-- Where each state can be had: a server that echoes, one that takes connections and is silent, and
-- none at all.
local STATES = {
  idle = "nowhere",
  beginning = "echo",
  connecting = "silent",
  ["connecting with TLS"] = "silent",
  ["connecting to a name"] = "nowhere",
  open = "echo",
  ["open with TLS"] = "echo",
  talking = "echo",
  ["talking with TLS"] = "echo",
  paused = "echo",
  waiting = "nowhere",
  failing = "nowhere",
  closing = "echo",
  ["closing handshake"] = "echo",
  closed = "echo",
  reconnecting = "echo",
}

-- In these the handler is a rarer one, and a few ways will do.
local RARER = {
  ["asked for its URL"] = "echo",
  ["asked for its headers"] = "echo",
  ["asked whether to reconnect"] = "nowhere",
  ["logging"] = "nowhere",
  ["told of its end"] = "echo",
  ["told of its end with TLS"] = "echo",
  ["told of a pong"] = "echo",
  ["told of an empty queue"] = "echo",
  ["used by a task"] = "echo",
  ["used by a task with TLS"] = "echo",
  ["flushed by a task"] = "echo",
}

-- What the functions for URLs and headers raise is an error of the attempt, and a log that fails does
-- not take the event away from its handler.
local NO_END = {
  ["asked for its URL"] = true,
  ["asked for its headers"] = true,
  ["logging"] = true,
}

local ERROR = "^%S*lua[%d.]*: %S+:%d+: on purpose\nstack traceback:\n"

-- The exit code of each way, and what is on standard error.
local WAYS = {
  ["the end of the program"] = { 0 },
  ["garbage collection"] = { 0 },
  ["finalizers that use what is gone"] = { 0 },
  ["an error"] = { 1, ERROR },
  ["an error in a handler"] = { 1, ERROR },
  ["os.exit(3, true)"] = { 3 },
  ["os.exit(3)"] = { 3 },
  ["os.exit(3, true) in a handler"] = { 3 },
  ["os.exit(3) in a handler"] = { 3 },
  ["an exit from a coroutine"] = { 3 },
}

-- Ways that leave no room to give everything back. What a finalizer makes while its state is being
-- closed is never finalized itself.
local SUDDEN = {
  ["finalizers that use what is gone"] = true,
  ["os.exit(3)"] = true,
  ["os.exit(3, true) in a handler"] = true,
  ["os.exit(3) in a handler"] = true,
}

describe("a process ends as it should", function()
  local urls = {}

  setup(function()
    local silent = Peer.listen() -- nobody accepts: the system takes the connections
    urls = {
      nowhere = "ws://127.0.0.1:1/",
      echo = Server.start():url(),
      secure = Server.start({ tls = certs.good }):url(nil, "localhost"),
      silent = silent.url,
      ["connecting with TLS"] = silent.url:gsub("^ws:", "wss:"),
      ["connecting to a name"] = "ws://name.invalid/",
    }
  end)

  teardown(function()
    Server.stop_all()
    Peer.close_all()
  end)

  local function try(name, where, ways)
    local state, secure = name:gsub(" with TLS$", "")
    local url = urls[name] or secure > 0 and urls.secure or urls[where]
    state = state:gsub(" to a name$", "")
    for way, expected in pairs(ways) do
      local result = child.run(CHILD, { state, way, url }, {
        environment = SUDDEN[way] and "ASAN_OPTIONS=detect_leaks=0",
      })
      assert.same({ way, "", expected[1] }, { way, result.out, result.code }, result.err)
      if expected[2] then
        assert.matches(expected[2], result.err)
      else
        assert.equal("", result.err)
      end
    end
  end

  for name, where in pairs(STATES) do
    it("while its client is " .. name, function() try(name, where, WAYS) end)
  end

  for name, where in pairs(RARER) do
    it("while its client is " .. name, function()
      local ways = {}
      for _, way in ipairs {
        "os.exit(3, true)", "os.exit(3, true) in a handler", "os.exit(3) in a handler",
        NO_END[name] == nil and "an error in a handler" or nil,
      } do
        ways[way] = WAYS[way]
      end
      try(name, where, ways)
    end)
  end
end)

--------------------------------------------------------------------------------------------------

-- A life with everything in it; the peer is in the same process.
local LIFE = [[
local Peer = require "support.peer"
local WebSocket = require "steadysocket"
local turn = require "support.turn"

local function till(condition, what)
  turn.through(condition, what, 20)
end

local function live(server, ca_file)
  local opens, closes, errors, messages = 0, 0, 0, 0
  local ws = WebSocket.new {
    url = server.url:gsub("127.0.0.1", "localhost"),
    tls = { ca_file = ca_file },
    headers = { ["X-One"] = "1" },
    protocols = { "chat" },
    origin = "http://localhost",
    reconnect = { min_delay = 0.01, max_delay = 0.01 },
    connect_timeout = 100, -- for valgrind on a loaded machine, as the next two
    close_timeout = 100,
    heartbeat = { interval = 100, timeout = 100 },
    log = function() end,
    on_open = function(_, self)
      opens = opens + 1
      self:send "log in"
    end,
    on_message = function(_, _, self)
      messages = messages + 1
      self:send "answer"
      if messages == 2 then error "on purpose" end
    end,
    on_close = function() closes = closes + 1 end,
    on_error = function() errors = errors + 1 end,
  }
  ws:send "queued"
  ws:connect "first"
  local conn = server:welcome { protocol = "chat" }
  till(function() return opens == 1 end, "open")
  assert(conn:receive_text() == "log in")
  assert(conn:receive_text() == "first")
  assert(conn:receive_text() == "queued")
  conn:send(Peer.encode("text", "one") .. Peer.encode("text", "two")
    .. Peer.encode("ping", "three") .. Peer.encode("binary", ("x"):rep(300000)))
  till(function() return messages == 3 end, "messages")
  server:close()
  conn:cut()
  till(function() return closes == 1 and errors > 0 end, "loss")
  ws:send(("y"):rep(300000))
  server:open_again()
  conn = server:welcome()
  till(function() return opens == 2 end, "open again")
  assert(conn:receive_text() == "log in")
  assert(#conn:receive_text() == 300000)
  ws:pause()
  conn:frame(0x3, "a frame that breaks the rules")
  ws:resume()
  till(function() return closes == 2 end, "failure")
  conn = server:welcome()
  till(function() return opens == 3 end, "open for the last time")
  ws:reconnect()
  conn = server:welcome()
  till(function() return opens == 4 end, "open after reconnect")
  ws:close(1000, "enough")
  conn:receive_text()
  conn:receive_close()
  conn:close(1000)
  conn:finish()
  till(function() return ws.status == "closed" end, "closed")
end

live(Peer.listen())
live(Peer.listen { tls = { cert = arg[1], key = arg[2] } }, arg[3])
print "two whole lives"
]]

describe("memory", function()
  it("is there for all that happens in two whole lives", function() -- for `make asan` and `make hard`
    local good = certs.good
    assert.same({ out = "two whole lives\n", err = "", code = 0 },
      child.run(LIFE, { good.cert, good.key, good.ca }))
  end)

  it("is all given back and never misused, valgrind says", function()
    if not child.has "valgrind" then
      pending "valgrind is not installed"
      return
    elseif child.sanitized() then
      pending "valgrind does not go with a sanitizer"
      return
    elseif os.getenv "STEADY_INTERPRETER" then
      pending "valgrind would take minutes with this interpreter"
      return
    end
    local good = certs.good
    local result = child.run(LIFE, { good.cert, good.key, good.ca }, {
      environment = "SPEC_PATIENCE=10",
      patience = 10,
      under = "valgrind --leak-check=full --show-leak-kinds=definite --keep-debuginfo=yes "
        .. "--suppressions=tools/valgrind.supp",
    })
    assert.same({ "two whole lives\n", 0 }, { result.out, result.code }, result.err)
    assert.matches("ERROR SUMMARY: 0 errors", result.err)
    assert(result.err:find "definitely lost: 0 bytes" or result.err:find "no leaks are possible",
      result.err)
  end)
end)
