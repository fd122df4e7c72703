local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local child = require "support.child"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"

local SOON = 0.5 -- seconds of this process's own
local DELAY = watched.delay

local clients, timers = {}, {} -- all of a test, to be closed and cancelled behind it

-- A client without an on_message, so that its messages are to be received.
local function new(options)
  if options.reconnect == nil then
    options.reconnect = { min_delay = DELAY, max_delay = DELAY, jitter = 0 }
  end
  local ws = WebSocket.new(options)
  clients[#clients + 1] = ws
  return ws
end

-- One that is connected to a peer in this thread.
local function meet(options)
  local server = Peer.listen()
  options = options or {}
  options.url = server.url
  local ws = new(options)
  ws:connect()
  local conn = server:welcome()
  turn.till(function() return ws.status == "open" end, "the client to be open")
  return ws, conn, server
end

local function every(seconds, fn)
  timers[#timers + 1] = WebSocket.every(seconds, fn)
end

-- Spawns fn(...) and returns a table in which `done` will be what it returned.
local function spawn(fn, ...)
  local task = {}
  WebSocket.spawn(function(...)
    task.started = true
    task.done = { fn(...) }
  end, ...)
  return task
end

local function finish(task)
  return turn.till(function() return task.done end, "a task to end")
end

local function results(...)
  return { ... }
end

local function soon(fn, ...)
  local _, own = stopwatch.time(fn, ...)
  assert(own < SOON, own)
end

local function collect()
  collectgarbage()
  collectgarbage()
end

-- What run raises, which must be something.
local function failure()
  local ok, message = pcall(WebSocket.run)
  assert.is_false(ok)
  return message
end

after_each(function()
  for _, ws in ipairs(clients) do ws:close() end
  for _, timer in ipairs(timers) do timer:cancel() end
  clients, timers = {}, {}
  watched.end_all()
  Server.stop_all()
end)

describe("spawn", function()
  it("runs a function in the next turn, not at once", function()
    local task = spawn(function() return "result" end)
    assert.is_nil(task.started)
    WebSocket.run()
    assert.same(results "result", task.done)
  end)

  it("runs several in their order", function()
    local seen = {}
    for i = 1, 5 do
      WebSocket.spawn(function() seen[#seen + 1] = i end)
    end
    WebSocket.run()
    assert.same({ 1, 2, 3, 4, 5 }, seen)
  end)

  it("hands on its arguments, nils too", function()
    local task, none = spawn(table.pack, nil, "a", nil, false, nil), spawn(table.pack)
    WebSocket.run()
    assert.same({ n = 5, nil, "a", nil, false, nil }, task.done[1])
    assert.same({ n = 0 }, none.done[1])
  end)

  it("returns nothing", function()
    assert.equal(0, select("#", WebSocket.spawn(function() end)))
    WebSocket.run()
  end)

  it("raises for what is no function", function()
    for _, wrong in ipairs { "print", 1, {}, false } do
      local ok, message = pcall(WebSocket.spawn, wrong or nil)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'spawn' %(function expected, got %a+%)", message)
    end
    assert.is_false(WebSocket.step(0))
  end)

  it("can be called in a handler", function()
    local ws, conn = meet()
    local task, at_once
    ws.on_message = function(data)
      task = spawn(function()
        WebSocket.sleep(0.001)
        return data
      end)
      at_once = task.started
    end
    conn:text "hello"
    turn.till(function() return task end, "a message")
    assert.is_nil(at_once)
    assert.same(results "hello", finish(task))
  end)

  it("can be called in a task", function()
    local inner
    local outer = spawn(function()
      inner = spawn(function()
        WebSocket.sleep(0.001)
        return "inner"
      end)
      return inner.started
    end)
    WebSocket.run()
    assert.same(results(nil), outer.done)
    assert.same(results "inner", inner.done)
  end)

  it("keeps the loop running until the task has ended", function()
    local task = spawn(WebSocket.sleep, 0.03)
    assert(stopwatch.time(WebSocket.run) >= 0.03)
    assert.same({}, task.done)
    assert.is_false(WebSocket.step(0))
  end)

  it("keeps the loop running for a task that waits for what may never come", function()
    local ws = new { url = "ws://127.0.0.1:1/" }
    local task = spawn(ws.wait, ws)
    for _ = 1, 3 do
      assert.is_true(WebSocket.step(0.001))
    end
    ws:close()
    WebSocket.run()
    assert.same(results(nil, "closed"), task.done)
  end)

  it("lets other coroutines work inside a task, with yields of their own", function()
    local task = spawn(function()
      local seen = {}
      local numbers = coroutine.wrap(function()
        for i = 1, 3 do coroutine.yield(i) end
      end)
      for i in numbers do
        WebSocket.sleep(0.001)
        seen[i] = i
      end
      return seen
    end)
    WebSocket.run()
    assert.same({ 1, 2, 3 }, task.done[1])
  end)

  it("lets a task wait inside of pcall, and through any number of calls", function()
    local function deep(level)
      if level > 0 then return (deep(level - 1)) end
      WebSocket.sleep(0.001)
      return "deep"
    end
    local task = spawn(pcall, pcall, deep, 100)
    WebSocket.run()
    assert.same(results(true, true, "deep"), task.done)
  end)

  it("makes no garbage that stays, over 10,000 tasks", function()
    local function some(count)
      for i = 1, count do
        WebSocket.spawn(i % 2 == 0 and WebSocket.sleep or math.abs, 0)
        if i % 100 == 0 then WebSocket.run() end
      end
      collect()
      return collectgarbage "count"
    end
    local before = some(1000)
    assert(some(10000) < before + 20, "KiB were left over")
  end)

  it("lets go of a task that has ended, and not of one that waits", function()
    local weak = setmetatable({}, { __mode = "k" })
    WebSocket.spawn(function()
      weak[coroutine.running()] = true
      WebSocket.sleep(0.01)
    end)
    WebSocket.step(1)
    collect()
    assert.is_not_nil(next(weak))
    WebSocket.run()
    collect()
    assert.is_nil(next(weak))
  end)

  it("has 1,000 tasks talk, each with a client of its own", function()
    local count, server = 1000, Server.start()
    local tasks = {}
    for i = 1, count do
      local ws = new { url = server:url(), connect_timeout = 60, reconnect = false }
      tasks[i] = spawn(function()
        ws:connect()
        for round = 1, 3 do
          ws:send(("%d of %d"):format(round, i))
          local data = ws:receive(60)
          if data ~= ("%d of %d"):format(round, i) then return data end
        end
        ws:close()
        return "echoed"
      end)
    end
    WebSocket.run()
    for i = 1, count do
      assert.same(results "echoed", tasks[i].done, i)
    end
  end)
end)

describe("sleep", function()
  it("lets others go on meanwhile", function()
    local seen = {}
    for _, name in ipairs { "c", "a", "b" } do
      WebSocket.spawn(function()
        WebSocket.sleep(name:byte() % 0x60 * 0.01)
        seen[#seen + 1] = name
      end)
    end
    WebSocket.run()
    assert.same({ "a", "b", "c" }, seen)
  end)

  it("outside of the loop, runs it", function()
    local seen = {}
    WebSocket.after(0.01, function() seen[1] = "timer" end)
    assert(stopwatch.time(WebSocket.sleep, 0.03) >= 0.03)
    assert.same({ "timer" }, seen)
    soon(WebSocket.sleep, 0)
    assert.is_false(WebSocket.step(0))
  end)

  it("outside of the loop, in a coroutine, does not yield", function()
    local slept = false
    coroutine.wrap(function()
      WebSocket.sleep(0.001)
      slept = true
    end)()
    assert.is_true(slept)
  end)

  it("raises for what is not a time", function()
    for _, wrong in ipairs { -1, 0 / 0, "soon", {}, false } do
      local ok, message = pcall(WebSocket.sleep, wrong or nil)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'sleep' %(seconds", message)
    end
  end)
end)

describe("receive", function()
  it("returns messages and their kinds in order", function()
    local ws, conn = meet()
    local task = spawn(function()
      local seen = {}
      for i = 1, 3 do seen[i] = { ws:receive() } end
      return seen
    end)
    conn:text "one"
    turn.once()
    conn:binary "\0two"
    conn:text ""
    assert.same({ { "one", "text" }, { "\0two", "binary" }, { "", "text" } }, finish(task)[1])
  end)

  it("has messages that came before it was called", function()
    local ws, conn = meet()
    conn:text "early"
    turn.till(function() return ws:stats().received == 1 end, "a message")
    assert.same({ "early", "text" }, { ws:receive() })
  end)

  it("outside of a task, runs the loop", function()
    local server = Server.start()
    local ws = new { url = server:url "/count?n=3" }
    local ticks = 0
    every(0.001, function() ticks = ticks + 1 end)
    ws:connect()
    for i = 1, 3 do
      assert.same({ tostring(i), "text" }, { ws:receive(5) })
    end
    local before = ticks
    assert.same(results(nil, "timeout"), results(ws:receive(0.05)))
    assert(ticks > before, ticks)
  end)

  it("returns after its time, which is not fatal", function()
    local ws, conn = meet()
    local task = spawn(function()
      local first = results(ws:receive(0.02))
      return first, ws:receive()
    end)
    turn.never(function() return task.done end, "a message", 0.05)
    conn:text "late"
    assert.same(results(results(nil, "timeout"), "late", "text"), finish(task))
    assert.same(results(nil, "timeout"), results(ws:receive(0.001)))
    assert.equal("open", ws.status)
    assert.is_true(WebSocket.step(0))
  end)

  it("with no time, takes what is there", function()
    local ws, conn = meet()
    conn:text "there"
    turn.till(function() return ws:stats().received == 1 end, "a message")
    assert.equal("there", (ws:receive(0)))
    soon(ws.receive, ws, 0)
  end)

  it("leaves no timer behind when it has a message", function()
    local ws, conn = meet()
    local task = spawn(ws.receive, ws, 60)
    conn:text "hello"
    finish(task)
    ws:close()
    conn:receive_close()
    conn:finish()
    soon(WebSocket.run)
  end)

  it("has the next message after the connection was lost and made again", function()
    local ws, conn, server = meet()
    local task = spawn(ws.receive, ws)
    turn.till(function() return task.started end, "the task to wait")
    conn:cut()
    conn = server:welcome()
    assert.is_nil(task.done)
    conn:text "again"
    assert.same(results("again", "text"), finish(task))
  end)

  it("has what came before the end, then says that the client is closed", function()
    local ws, conn = meet { reconnect = false }
    local task = spawn(function()
      local seen = {}
      repeat
        seen[#seen + 1] = results(ws:receive())
      until not seen[#seen][1]
      return seen
    end)
    conn:text "last words"
    conn:close(1000)
    conn:finish()
    assert.same({ results("last words", "text"), results(nil, "closed") }, finish(task)[1])
    assert.same(results(nil, "closed"), results(ws:receive()))
  end)

  it("ends when the client is closed meanwhile, by anyone", function()
    local ws, conn = meet()
    local task = spawn(ws.receive, ws)
    spawn(ws.close, ws)
    conn:receive_close()
    conn:finish()
    assert.same(results(nil, "closed"), finish(task))
  end)

  it("does not wait for a client that is idle", function()
    local ws = new { url = "ws://127.0.0.1:1/" }
    assert.same(results(nil, "closed"), results(ws:receive()))
  end)

  it("by several tasks gives each message to the one that waited longest", function()
    local ws, conn = meet()
    local seen = {}
    for i = 1, 3 do
      WebSocket.spawn(function()
        for _ = 1, 2 do table.insert(seen, i .. ":" .. ws:receive()) end
      end)
    end
    turn.once()
    turn.once()
    for i = 1, 6 do
      conn:text(tostring(i))
      turn.till(function() return #seen == i end, "a message")
    end
    assert.same({ "1:1", "2:2", "3:3", "1:4", "2:5", "3:6" }, seen)
  end)

  it("by several tasks misses nothing of a burst", function()
    local ws, conn = meet()
    local seen, tasks = {}, {}
    for i = 1, 10 do
      tasks[i] = spawn(function()
        for _ = 1, 10 do seen[tonumber((ws:receive()))] = true end
      end)
    end
    for i = 1, 100 do conn:text(tostring(i)) end
    for _, task in ipairs(tasks) do finish(task) end
    assert.equal(100, #seen)
  end)

  it("is not for a client that has an on_message", function()
    local ws = new { url = "ws://127.0.0.1:1/", on_message = function() end }
    for _, call in ipairs { ws.receive, ws:messages() } do
      local ok, message = pcall(call, ws)
      assert.is_false(ok)
      assert.matches("receive: the client has an on_message, which gets its messages", message)
    end
  end)

  it("raises for what is not a time", function()
    local ws = new { url = "ws://127.0.0.1:1/" }
    for _, wrong in ipairs { -1, 0 / 0, "soon", {} } do
      local ok, message = pcall(ws.receive, ws, wrong)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'receive' %(seconds, 0 or more, expected%)", message)
    end
    assert.same(results(nil, "closed"), results(ws:receive(math.huge)))
  end)
end)

describe("messages", function()
  it("goes through all messages, until the client is closed", function()
    local ws, conn = meet()
    local task = spawn(function()
      local seen = {}
      for data, kind in ws:messages() do
        seen[#seen + 1] = data .. " " .. kind
        if #seen == 3 then ws:close() end
      end
      return seen
    end)
    conn:text "a"
    conn:binary "b"
    conn:text "c"
    conn:receive_close()
    conn:finish()
    assert.same({ "a text", "b binary", "c text" }, finish(task)[1])
  end)

  it("outside of a task, runs the loop", function()
    local server = Server.start()
    local ws = new { url = server:url "/count?n=100" }
    local count = 0
    ws:connect()
    for data in ws:messages() do
      count = count + 1
      assert.equal(tostring(count), data)
      if count == 100 then ws:close() end
    end
    assert.equal(100, count)
    assert.equal("closed", ws.status)
  end)
end)

describe("wait", function()
  it("returns when the status is reached: open, unless another is given", function()
    local server = Peer.listen()
    local ws = new { url = server.url }
    local open, closed = spawn(ws.wait, ws), spawn(ws.wait, ws, "closed")
    ws:connect()
    local conn = server:welcome()
    assert.same(results(true), finish(open))
    assert.is_nil(closed.done)
    ws:close()
    conn:receive_close()
    conn:finish()
    assert.same(results(true), finish(closed))
  end)

  it("returns at once when it is reached already", function()
    local ws = meet()
    assert.is_true(ws:wait())
    assert.is_true(ws:wait "open")
    assert.is_true(new({ url = "ws://127.0.0.1:1/" }):wait "idle")
  end)

  it("waits for the connection to come back", function()
    local ws, conn, server = meet()
    local waiting = spawn(ws.wait, ws, "waiting")
    conn:cut()
    finish(waiting)
    local open = spawn(ws.wait, ws)
    server:welcome()
    assert.same(results(true), finish(open))
  end)

  it("outside of a task, runs the loop", function()
    local server = Server.start()
    local ws = new { url = server:url() }
    ws:connect()
    assert.is_true(ws:wait("open", 5))
    ws:close()
    assert.is_true(ws:wait("closed", 5))
  end)

  it("returns behind the handlers of what it waited for", function()
    local server = Server.start()
    local told = {}
    local ws = new { url = server:url() }
    ws.on_open = function() told[#told + 1] = "on_open " .. ws.status end
    ws.on_close = function() told[#told + 1] = "on_close" end
    ws:connect()
    assert.is_true(ws:wait("open", 5))
    ws:close()
    assert.same(results(nil, "closed"), results(ws:wait("open", 5)))
    assert.same({ "on_open open", "on_close" }, told)
  end)

  it("returns true and nothing else, as flush does, so that it prints well", function()
    local ws = meet()
    assert.equal(1, select("#", ws:wait()))
    assert.equal(1, select("#", ws:flush()))
    ws:send "once"
    assert.equal(1, select("#", ws:flush(5)))
  end)

  it("returns after its time, which is not fatal", function()
    local server = Peer.listen()
    local ws = new { url = server.url }
    ws:connect()
    assert.same(results(nil, "timeout"), results(ws:wait("open", 0.02)))
    local task = spawn(ws.wait, ws, nil, 0.02)
    assert.same(results(nil, "timeout"), finish(task))
    task = spawn(ws.wait, ws)
    server:welcome()
    assert.same(results(true), finish(task))
  end)

  it("ends when the client is closed, since nothing else will come", function()
    local ws = new { url = "ws://127.0.0.1:1/", reconnect = { max_attempts = 1 } }
    ws:connect()
    assert.same(results(nil, "closed"), results(ws:wait()))
    assert.is_true(ws:wait "closed")
  end)

  it("raises for what is no status, or not a time", function()
    local ws = new { url = "ws://127.0.0.1:1/" }
    local function refused(pattern, ...)
      local ok, message = pcall(ws.wait, ws, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    refused("bad argument #1 to 'wait' %(no status: 'opened'%)", "opened")
    refused("bad argument #1 to 'wait' %(no status: '5'%)", 5)
    refused([[bad argument #1 to 'wait' %(no status: '\x1b%[2J\x00open'%)$]], "\27[2J\0open")
    refused("bad argument #2 to 'wait' %(seconds, 0 or more, expected%)", "open", -1)
  end)
end)

describe("flush", function()
  local LARGE = ("x"):rep(1 << 20)

  it("returns when all has been sent", function()
    local ws, conn = meet { queue = { max_bytes = 64 << 20 }, heartbeat = false }
    for _ = 1, 16 do ws:send(LARGE, "binary") end
    local task = spawn(ws.flush, ws)
    turn.once()
    assert.is_nil(task.done)
    for _ = 1, 16 do conn:receive_binary() end
    assert.same(results(true), finish(task))
    assert.equal(0, ws.queued)
  end)

  it("returns when the system has taken the last byte, not when our buffers have", function()
    local server = Peer.listen { narrow = true }
    local ws = new { url = server.url, queue = { max_bytes = 64 << 20 }, heartbeat = false }
    ws:connect()
    local conn = server:welcome()
    turn.till(function() return ws.status == "open" end, "the client to be open")
    -- As many bytes as it takes for the queue to be empty, and the rest to wait behind it.
    turn.till(function()
      if ws.queued == 0 and ws.buffered_amount == 0 then ws:send(("x"):rep(100000), "binary") end
      return ws.queued == 0 and ws.buffered_amount > 0
    end, "bytes that the system does not take")
    local task = spawn(ws.flush, ws)
    turn.never(function() return task.done end, "the end of flush", 0.03)
    turn.till(function()
      conn:has_input()
      return task.done
    end, "the end of flush")
    assert.equal(0, ws.buffered_amount)
    assert.same(results(true), finish(task))
  end)

  it("returns at once when there is nothing to send", function()
    assert.is_true(meet():flush())
    assert.is_true(new({ url = "ws://127.0.0.1:1/" }):flush())
  end)

  it("with confirm, returns when the peer has all", function()
    local ws, conn = meet { confirm = true }
    ws:send "important"
    local task = spawn(ws.flush, ws)
    assert.equal("important", conn:receive_text())
    local ping = conn:receive_frame()
    turn.never(function() return task.done end, "the end of flush", 0.03)
    conn:pong(ping.payload)
    assert.same(results(true), finish(task))
  end)

  it("waits through a loss", function()
    local ws, conn, server = meet()
    conn:cut()
    turn.till(function() return ws.status == "waiting" end, "the loss")
    ws:send "later"
    local task = spawn(ws.flush, ws)
    assert.equal("later", server:welcome():receive_text())
    assert.same(results(true), finish(task))
  end)

  it("outside of a task, runs the loop", function()
    local server = Server.start()
    local ws = new { url = server:url(), confirm = true }
    ws:connect "first"
    for _ = 1, 100 do ws:send(("x"):rep(10000)) end
    assert.is_true(ws:flush(5))
    assert.equal(101, ws:stats().confirmed)
  end)

  it("returns after its time, which is not fatal, or when the client is closed", function()
    local server = Peer.listen()
    local ws = new { url = server.url }
    ws:connect "waits"
    assert.same(results(nil, "timeout"), results(ws:flush(0.02)))
    local timed_out, closed = spawn(ws.flush, ws, 0.02), spawn(ws.flush, ws)
    assert.same(results(nil, "timeout"), finish(timed_out))
    spawn(ws.close, ws)
    assert.same(results(true), finish(closed)) -- what was queued has been dropped
    assert.equal(1, ws:stats().dropped)
  end)

  it("says so when a client at rest cannot send", function()
    local ws = new { url = "ws://127.0.0.1:1/" }
    ws:send "queued"
    assert.same(results(nil, "closed"), results(ws:flush()))
  end)
end)

describe("waiting inside a handler", function()
  local function refused(name, ok, message)
    assert.is_false(ok)
    assert.matches(name .. ": a handler", message)
    assert.matches("WebSocket%.spawn", message)
  end

  it("raises and says what to do instead", function()
    local ws, conn = meet()
    local calls = {
      receive = ws.receive,
      wait = function(self) return self:wait "closed" end,
      flush = function(self)
        self:send "something"
        return self:flush()
      end,
      sleep = function() return WebSocket.sleep(0.001) end,
    }
    for name, call in pairs(calls) do
      local outcome
      WebSocket.after(0, function() outcome = results(pcall(call, ws)) end)
      turn.till(function() return outcome end, "the timer")
      refused(name, table.unpack(outcome))
    end
    local outcome
    ws.on_message = function() outcome = results(pcall(WebSocket.sleep, 0)) end
    conn:text "hello"
    turn.till(function() return outcome end, "a message")
    refused("sleep", table.unpack(outcome))
  end)

  it("comes out of run with the place where it was tried", function()
    WebSocket.after(0, function() WebSocket.sleep(1) end)
    local message = failure()
    assert.matches("^[^\n]*task_spec.lua:%d+: sleep: a handler", message)
  end)

  it("raises in a coroutine inside a task, too", function()
    local task = spawn(function()
      return coroutine.resume(coroutine.create(WebSocket.sleep), 0.001)
    end)
    WebSocket.run()
    refused("sleep", table.unpack(task.done))
  end)
end)

describe("an error in a task", function()
  local function fails_deep_inside(value)
    error(value)
  end

  it("comes out of run with the task's traceback, and run can go on", function()
    local seen = {}
    local function body(value)
      WebSocket.sleep(0.001)
      fails_deep_inside(value)
    end
    WebSocket.spawn(body, "on purpose")
    WebSocket.spawn(function()
      WebSocket.sleep(0.02)
      seen[1] = "the other"
    end)
    local message = failure()
    assert.matches("^[^\n]*task_spec.lua:%d+: on purpose\nstack traceback:", message)
    assert.matches("fails_deep_inside", message)
    assert.matches("in function <[^>]*task_spec.lua:%d+>", message)
    WebSocket.run()
    assert.same({ "the other" }, seen)
  end)

  it("that is not a string comes out unchanged", function()
    for _, value in ipairs { {}, 42, true, setmetatable({}, { __tostring = error }) } do
      WebSocket.spawn(fails_deep_inside, value)
      assert.equal(value, failure())
    end
    WebSocket.spawn(fails_deep_inside, nil)
    assert.is_nil(failure())
    assert.is_false(WebSocket.step(0))
  end)

  it("comes out of step, and of a call that waits, which leaves nothing behind", function()
    local ws = meet()
    local ok, message
    WebSocket.spawn(fails_deep_inside, "in step")
    repeat
      ok, message = pcall(WebSocket.step, 0.01)
    until not ok
    assert.matches("in step", message)
    WebSocket.spawn(fails_deep_inside, "in receive")
    ok, message = pcall(ws.receive, ws, 60)
    assert.is_false(ok)
    assert.matches("in receive", message)
    WebSocket.spawn(fails_deep_inside, "in sleep")
    ok, message = pcall(WebSocket.sleep, 60)
    assert.is_false(ok)
    assert.matches("in sleep", message)
    ws:close()
    Peer.close_all()
    soon(WebSocket.run)
  end)

  it("loses no message: who waited outside of the loop has it next time", function()
    local ws, conn = meet()
    ws.on_pong = function() error "on purpose" end
    conn:text "kept"
    conn:pong "unasked"
    local ok, message = pcall(ws.receive, ws)
    assert.is_false(ok)
    assert.matches("on purpose", message)
    assert.equal("kept", (ws:receive()))
  end)

  it("closes what the task had to close", function()
    local closed = false
    WebSocket.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      error "on purpose"
    end)
    assert.matches("on purpose", failure())
    assert.is_true(closed)
  end)

  it("does not keep others asleep that wait for the same client", function()
    local ws, conn = meet()
    local seen = {}
    for i = 1, 4 do
      WebSocket.spawn(function()
        seen[i] = ws:receive()
        if i % 2 == 1 then error("on purpose " .. i) end
      end)
    end
    turn.once()
    turn.once()
    for i = 1, 4 do conn:text(tostring(i)) end
    local errors = turn.through(function() return #seen == 4 end, "the messages")
    assert.equal(2, #errors)
    assert.matches("on purpose 1", errors[1])
    assert.matches("on purpose 3", errors[2])
    assert.same({ "1", "2", "3", "4" }, seen)
  end)

  it("or in a handler never leaves a task waiting for what has happened", function()
    local server = Peer.listen()
    server:close()
    local ws = new { url = server.url, reconnect = false }
    ws.on_status = function(status)
      if status == "closed" then error "on purpose" end
    end
    local tasks = { spawn(ws.wait, ws), spawn(ws.wait, ws, "closed"), spawn(ws.receive, ws) }
    ws:connect()
    assert.matches("on purpose", failure())
    WebSocket.run()
    assert.same(results(nil, "closed"), tasks[1].done)
    assert.same(results(true), tasks[2].done)
    assert.same(results(nil, "closed"), tasks[3].done)
  end)
end)

describe("a task that yields something of its own", function()
  it("is ended by an error that says so, with its traceback", function()
    local function yields_wrongly(...)
      coroutine.yield(...)
    end
    for _, value in ipairs { false, 1, "wait", {} } do
      local closed = false
      WebSocket.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        yields_wrongly(value or nil)
      end)
      local message = failure()
      assert.matches("^a task yielded something of its own", message)
      assert.matches("yields_wrongly", message)
      assert.is_true(closed)
      assert.is_false(WebSocket.step(0))
    end
  end)
end)

describe("a Lua state that is closed", function()
  it("takes its waiting tasks with it, and resumes none", function()
    local server = Server.start()
    local result = child.run([[
      local WebSocket = require "steadysocket"
      local ws = WebSocket.new(arg[1])
      ws:connect()
      for _, call in ipairs { ws.receive, ws.messages(ws), WebSocket.sleep } do
        WebSocket.spawn(function()
          call(call == WebSocket.sleep and 60 or ws)
          print "resumed"
        end)
      end
      ws:wait("open", 5)
      WebSocket.spawn(print, "not begun")
    ]], { server:url() })
    assert.same({ out = "", err = "", code = 0 }, result)
  end)
end)
