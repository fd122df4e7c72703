-- Programs that fork with open clients. Nothing that a child does may reach the parent's connections,
-- and a child can have clients of its own.

local Peer = require "support.peer"
local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"
local compiled = require "support.compiled"
local preload = require "support.preload"

-- Forks at a moment, once for each thing that a child can do, and sees whether its own connections
-- have noticed. The child's exit code is 7 when all is well in it.
local PARENT = [[
local process = require "process"
local WebSocket = require "steadysocket"
local moment, url, host, silent, ca_file = table.unpack(arg)
local LIMIT = 50 -- seconds
io.stdout:setvbuf "no" -- or a child would write what its parent has not yet

local in_child = false
local ws, other -- the client, and another one that is on its way somewhere

-- The descriptors that programs begin with which are run from here: the specs' own, so far.
local LIST = "ls -l /proc/self/fd | grep -oE 'socket.*|anon_inode.*'"
local inherited = io.popen(LIST):read("a"):gsub("\n$", "")

local function client(to, options)
  options = options or {}
  options.url, options.tls = to, { ca_file = ca_file }
  return WebSocket.new(options)
end

local function echo(self, text)
  self:send(text)
  assert(self:receive(LIMIT) == text, text .. " did not come back")
end

local function refuses(fn, ...)
  local ok, message = pcall(fn, ...)
  assert(not ok and message:find "belongs to the process of which this one is a fork", message)
end

local deeds = {
  ["ends"] = function() os.exit(7) end,
  ["closes its state"] = function() os.exit(7, true) end,
  ["uses its parent's client"] = function()
    for _, name in ipairs { "send", "close", "reconnect", "connect", "ping", "pause", "resume",
      "stats", "discard", "receive", "wait", "flush" } do
      refuses(ws[name], ws, (name == "send" or name == "ping") and "x" or nil)
    end
    refuses(function() return ws.status end)
    refuses(function() ws.on_open = print end)
    assert(tostring(ws):find "WebSocket client")
    os.exit(7, true)
  end,
  ["collects garbage"] = function()
    ws, other = nil, nil
    collectgarbage()
    collectgarbage()
    os.exit(7)
  end,
  ["runs another program"] = function()
    process.exec(("test \"$(%s)\" = '%s' && exit 7"):format(LIST, inherited))
  end,
  ["has a client of its own"] = function()
    local mine = client(url)
    mine:connect "first"
    assert(mine:receive(LIMIT) == "first")
    echo(mine, "of the child's own")
    mine:close()
    assert(mine:wait("closed", LIMIT))
    os.exit(7, true)
  end,
  ["forks again"] = function()
    local mine = client(url)
    mine:connect "first"
    assert(mine:receive(LIMIT) == "first")
    local pid = process.fork()
    if pid == 0 then
      refuses(mine.send, mine, "x")
      os.exit(7, true)
    end
    assert(process.wait(pid) == 7)
    echo(mine, "as before")
    mine:close()
    assert(mine:wait("closed", LIMIT))
    os.exit(7, true)
  end,
  ["goes on"] = function()
    WebSocket.after(0, function() in_child = "and its timer was due" end)
  end,
}

-- How many connections the server has had.
local function count()
  local counter = client((url:gsub("/echo$", "/connections")))
  counter:connect()
  local counted = tonumber((counter:receive(LIMIT)))
  counter:close()
  counter:wait("closed", LIMIT)
  return counted
end

local connections = count() -- how many there should be

local own = { ["has a client of its own"] = 1, ["forks again"] = 1 }
local deed
local forked = false

-- Forks, once for each deed. The child may return from here, the parent does when it has ended.
local function fork()
  if forked then return end
  forked = true
  local pid = process.fork()
  if pid == 0 then
    in_child = true
    return deeds[deed]()
  end
  local code = process.wait(pid)
  assert(code == 7, "the child's exit code is " .. code)
  connections = connections + (own[deed] or 0)
end

local function fork_and_stop()
  fork()
  if not in_child then WebSocket.stop() end
end

local function elsewhere(options, to)
  options.reconnect = options.reconnect or { min_delay = 60, max_delay = 60 }
  other = client(to or "ws://127.0.0.1:1/", options)
  other:connect()
end

-- Each returns when it has forked; nothing else runs in the meantime.
local moments = {
  ["outside of run"] = function()
    ws:connect()
    ws:wait("open", LIMIT)
    fork()
    if in_child then WebSocket.run() end
  end,
  ["in on_open"] = function()
    ws.on_open = function() ws:send "a message" fork_and_stop() end
    ws:connect()
    WebSocket.run()
    if not in_child then assert(ws:receive(LIMIT) == "a message") end
  end,
  ["in on_message"] = function()
    for i = 1, 10 do ws:send(("%d"):format(i)) end
    local count = 0
    ws.on_message = function()
      assert(in_child ~= true, "a message for the child")
      count = count + 1
      if count == 5 then fork() end
      if count == 10 then WebSocket.stop() end
    end
    ws:connect()
    WebSocket.run()
  end,
  ["in a timer"] = function()
    ws:connect()
    ws:wait("open", LIMIT)
    WebSocket.after(0, fork_and_stop)
    WebSocket.run()
  end,
  ["in a task"] = function()
    WebSocket.spawn(function()
      ws:wait("open", LIMIT)
      fork()
      if in_child then WebSocket.sleep(0.01) end
      WebSocket.stop()
    end)
    WebSocket.spawn(function() -- waits beside it, and is the parent's
      ws:wait("open", LIMIT)
      assert(not in_child, "the parent's task goes on in the child")
    end)
    ws:connect()
    WebSocket.run()
  end,
  ["in on_error of another client"] = function()
    ws:connect()
    ws:wait("open", LIMIT)
    elsewhere { on_error = fork_and_stop }
    WebSocket.run()
  end,
  ["in the log of another client"] = function()
    ws:connect()
    ws:wait("open", LIMIT)
    elsewhere { log = fork_and_stop }
    WebSocket.run()
  end,
  ["in should_reconnect"] = function()
    ws:connect()
    ws:wait("open", LIMIT)
    elsewhere { should_reconnect = fork_and_stop }
    WebSocket.run()
  end,
  ["in a headers function"] = function()
    ws = client(url, { headers = function() fork() return {} end, on_open = WebSocket.stop })
    ws:connect()
    WebSocket.run()
  end,
  ["while a name is looked up"] = function()
    ws = client((url:gsub("//[^:/]+", "//" .. host)))
    ws:connect()
    WebSocket.step(0)
    fork()
    if in_child then WebSocket.run() else assert(ws:wait("open", LIMIT)) end
  end,
  ["while it connects"] = function()
    ws:connect()
    ws.on_status = fork_and_stop
    WebSocket.run()
    if in_child then return end
    assert(ws:wait("open", LIMIT))
  end,
  ["while it waits for the answer to the upgrade"] = function()
    local failures = 0
    elsewhere({ on_error = function() failures = failures + 1 end }, silent)
    ws:connect()
    ws:wait("open", LIMIT)
    fork()
    WebSocket.after(0, WebSocket.stop)
    WebSocket.run()
    assert(in_child or other.status == "connecting" and failures == 0)
  end,
  ["in each turn until it is open"] = function()
    ws:connect()
    repeat
      WebSocket.step(0.01)
      forked = false
      fork()
      if in_child then return WebSocket.run() end
    until ws.status == "open"
  end,
}

local names = {}
for name in pairs(deeds) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
  deed, forked = name, false
  local closes = 0
  ws = client(url)
  moments[moment]()
  if in_child then
    assert(in_child == "and its timer was due", "the child's run did not run its timer")
    os.exit(7, true)
  end
  connections = connections + 1
  ws.on_message = nil
  ws.on_close = function() closes = closes + 1 end
  assert(forked and ws.status == "open", name)
  for i = 1, 3 do echo(ws, ("%s, then %d"):format(name, i)) end
  local stats = ws:stats()
  assert(closes == 0 and stats.connections == 1 and stats.failures == 0, name)
  ws.on_close = function(event) closes = event.clean and event.code end
  ws:close(1000)
  assert(ws:wait("closed", LIMIT))
  assert(closes == 1000, name)
  if other then
    other.on_error, other.should_reconnect, other.log = nil, nil, nil
    other:close()
    assert(other:wait("closed", LIMIT))
    other = nil
  end
  print(name)
end

local counted = count()
assert(counted == connections + 1, counted)
]]

local DEEDS = "closes its state\ncollects garbage\nends\nforks again\ngoes on\n"
  .. "has a client of its own\nruns another program\nuses its parent's client\n"

-- A thread of the parent's may hold a lock of the sanitizer's allocator at the fork.
local SANITIZED = "a child of a program with threads may not allocate under a sanitizer"

local MOMENTS = {
  "outside of run", "in on_open", "in on_message", "in a timer", "in a task",
  "in on_error of another client", "in the log of another client", "in should_reconnect",
  "in a headers function", "while a name is looked up", "while it connects",
  "while it waits for the answer to the upgrade", "in each turn until it is open",
}

describe("A fork", function()
  local folder, why, silent
  local servers = {}

  setup(function()
    folder, why = compiled.object "process"
    servers[false], servers[true] = Server.start(), Server.start { tls = certs.good }
    silent = Peer.listen() -- nobody accepts: the system takes the connections
  end)

  teardown(function()
    if folder then os.execute("rm -rf " .. folder) end
    preload.remove_all()
    Peer.close_all()
    Server.stop_all()
  end)

  local function run(code, arguments, environment)
    local here = package.cpath
    package.cpath = folder .. "/?.so;" .. here
    environment = "ASAN_OPTIONS=detect_leaks=0 " .. (environment or "")
    local result = child.run(code, arguments, { environment = environment })
    package.cpath = here
    return result
  end

  for _, moment in ipairs(MOMENTS) do
    for _, secure in ipairs { false, true } do
      it(("%s does no harm to its parent's connections, over %s"):format(moment,
        secure and "wss" or "ws"), function()
        if not folder then
          pending(why)
          return
        end
        if moment == "while a name is looked up" and child.sanitized() then
          pending(SANITIZED)
          return
        end
        local host = secure and not child.sanitized() and "localhost" or "127.0.0.1"
        local result = run(PARENT, {
          moment, servers[secure]:url(nil, host), "localhost",
          secure and silent.url:gsub("^ws:", "wss:") or silent.url, certs.good.ca,
        })
        assert.same({ out = DEEDS, err = "", code = 0 }, result)
      end)
    end
  end

  -- A thread of the parent's that is in the system's resolver may hold a lock there.
  it("while a name is looked up lets the child look up names", function()
    local environment = preload.environment "names"
    if not folder or not environment then
      pending(why or "needs LD_PRELOAD")
      return
    end
    if child.sanitized() then
      pending(SANITIZED)
      return
    end
    assert.same({ out = "open\t7\n", err = "", code = 0 }, run([[
      local process = require "process"
      local WebSocket = require "steadysocket"
      WebSocket.new { url = "ws://a.locked/" }:connect()
      WebSocket.step(0.002)
      local pid = process.fork()
      local ws = WebSocket.new { url = arg[1], connect_timeout = 5 }
      ws:connect()
      ws:wait("open", 10)
      if pid == 0 then os.exit(ws.status == "open" and 7 or 1, true) end
      print(ws.status, process.wait(pid))
    ]], { servers[false]:url(nil, "localhost") }, environment))
  end)

  it("waits a tenth of a second at most, and once, while a name is looked up", function()
    local environment = preload.environment "names"
    if not folder or not environment then
      pending(why or "needs LD_PRELOAD")
      return
    end
    assert.same({ out = "true\n", err = "", code = 0 }, run([[
      local stopwatch = require "support.stopwatch"
      local process = require "process"
      local WebSocket = require "steadysocket"
      WebSocket.new { url = "ws://a.silent/" }:connect()
      WebSocket.step(0)
      local watch, forks = stopwatch.start(), 50
      for _ = 1, forks do
        local pid = process.fork()
        if pid == 0 then os.exit(7) end
        assert(process.wait(pid) == 7)
      end
      local _, own = watch()
      print(own < 0.05 * forks or own)
    ]], {}, environment))
  end)

  it("in a handler lets step return in the child, where there is nothing to do", function()
    if not folder then
      pending(why)
      return
    end
    assert.same({ out = "7\n", err = "", code = 0 }, run [[
      local process = require "process"
      local WebSocket = require "steadysocket"
      local pid
      WebSocket.after(0, function() pid = process.fork() end)
      local later = WebSocket.after(60, function() end)
      local left = WebSocket.step(20)
      if pid == 0 then os.exit(left and 1 or 7, true) end
      assert(left)
      later:cancel()
      print(process.wait(pid))
    ]])
  end)
end)
