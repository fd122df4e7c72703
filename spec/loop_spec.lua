local socket = require "socket"

local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local child = require "support.child"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"

local time = stopwatch.time

local timers = {} -- all of a test, to be cancelled behind it

local function keep(timer)
  timers[#timers + 1] = timer
  return timer
end

local function after(seconds, fn)
  return keep(WebSocket.after(seconds, fn))
end

local function every(seconds, fn)
  return keep(WebSocket.every(seconds, fn))
end

local function nothing() end

local function work(seconds)
  local till = socket.gettime() + seconds
  while socket.gettime() < till do end
end

-- Garbage that has a finalizer is gone after two rounds.
local function collect()
  collectgarbage()
  collectgarbage()
end

local SOON = 0.5 -- seconds of this process's own

-- What fn returns, which it has to do soon.
local function soon(fn, ...)
  local _, own, result = time(fn, ...)
  assert(own < SOON, own)
  return result
end

-- Turns until neither what earlier specs have left nor a timer of libwebsockets' own is due soon: it turns
-- the loop many times in the last half of a millisecond before each of those. A context has one 0.1 s after
-- its beginning, which is the first connection's, and from then on one every 30 s.
local function settle()
  local timer = WebSocket.after(60, nothing)
  collect()
  turn.till(function() return WebSocket.timeout() > 1 end, "no timer to be due soon")
  timer:cancel()
end

local function in_order()
  local seen = {}
  return seen, function(name)
    return function() seen[#seen + 1] = name end
  end
end

after_each(function()
  for _, timer in ipairs(timers) do timer:cancel() end
  timers = {}
  watched.end_all()
  Server.stop_all()
end)

describe("run", function()
  it("returns at once when there is nothing to do", function()
    soon(WebSocket.run)
  end)

  it("returns when no timer is armed any more", function()
    local seen, note = in_order()
    after(0.01, note "first")
    after(0.02, note "last")
    WebSocket.run()
    assert.same({ "first", "last" }, seen)
  end)

  -- libwebsockets has timers of its own from then on.
  it("returns at once also when there were connections before", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    server:welcome()
    client:await "opens"
    watched.end_all()
    soon(function()
      after(0, nothing)
      WebSocket.run()
      client.ws:connect()
      client.ws:close()
      WebSocket.run()
    end)
  end)

  it("returns when the last client is closed", function()
    local server = Server.start()
    local ws = WebSocket.new(server:url())
    ws.on_open = function() ws:close() end
    ws:connect()
    WebSocket.run()
    assert.equal("closed", ws.status)
  end)

  it("does not wait for a client that is idle", function()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    ws:send "queued"
    soon(WebSocket.run)
    assert.equal("idle", ws.status)
  end)

  it("ends by stop, with work left, and goes on when called again", function()
    local ticks = 0
    local timer = every(0.001, function()
      ticks = ticks + 1
      if ticks % 3 == 0 then WebSocket.stop() end
    end)
    WebSocket.run()
    assert.equal(3, ticks)
    WebSocket.run()
    assert.equal(6, ticks)
    timer:cancel()
    WebSocket.run()
  end)

  it("is not kept from running by a stop before it", function()
    local seen, note = in_order()
    after(0, note "timer")
    WebSocket.stop()
    WebSocket.run()
    assert.same({ "timer" }, seen)
  end)

  it("cannot be called inside a handler, nor can step", function()
    for name, call in pairs { run = WebSocket.run, step = WebSocket.step } do
      after(0, function() call() end)
      local ok, message = pcall(WebSocket.run)
      assert.is_false(ok)
      assert.matches(name .. ": the loop is running already; a handler must return", message)
    end
  end)

  it("can be called inside a coroutine, which may be garbage when the loop runs again", function()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    local ran = coroutine.wrap(function()
      after(0, nothing)
      ws:close()
      WebSocket.run()
      return ws.status
    end)()
    assert.equal("closed", ran)
    collect()
    assert.is_true(ws:close())
    after(0, nothing)
    WebSocket.run()
  end)

  it("calls handlers with the coroutine that runs it, whoever made the client", function()
    local made_in = coroutine.create(function()
      return WebSocket.new "ws://127.0.0.1:1/"
    end)
    local _, ws = coroutine.resume(made_in)
    local ran_in
    ws.on_status = function() ran_in = coroutine.running() end
    made_in = nil
    collect()
    ws:close()
    WebSocket.run()
    assert.equal(coroutine.running(), ran_in)
    assert.is_nil(made_in)
  end)
end)

describe("step", function()
  it("says whether work is left", function()
    assert.is_false(WebSocket.step(0))
    local timer = after(60, nothing)
    assert.is_true(WebSocket.step(0))
    timer:cancel()
    assert.is_false(WebSocket.step(0))
  end)

  it("with 0, does not wait", function()
    after(60, nothing)
    soon(WebSocket.step, 0)
  end)

  it("waits at most the time given", function()
    settle()
    after(60, nothing)
    local took, own, left = time(WebSocket.step, 0.05)
    assert.is_true(left)
    assert(took >= 0.049 and own < 0.05 + SOON, took)
  end)

  it("waits no longer than until something happens", function()
    local seen, note = in_order()
    after(0.02, note "timer")
    -- A turn may also be over because of libuv's own work, as closing what was collected.
    local took, own = time(function()
      repeat WebSocket.step(60) until #seen > 0
    end)
    assert(took >= 0.02 and own < 0.02 + SOON, took)
    assert.same({ "timer" }, seen)
  end)

  it("does not wait when something has happened already", function()
    after(60, nothing)
    local seen, note = in_order()
    after(0, note "timer")
    work(0.002)
    soon(WebSocket.step, 60)
    assert.same({ "timer" }, seen)
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    ws.on_status = note "closed"
    ws:close()
    soon(WebSocket.step, 60)
    assert.same({ "timer", "closed" }, seen)
  end)

  it("without a time, waits until something happens", function()
    local seen, note = in_order()
    after(0.02, note "timer")
    repeat until not WebSocket.step()
    assert.same({ "timer" }, seen)
  end)

  it("does not wait when there is nothing to do", function()
    for _, timeout in ipairs { 0, 60, math.huge, false } do
      local left = soon(WebSocket.step, timeout or nil)
      assert.is_false(left)
    end
  end)

  it("is not cut short by a stop before it", function()
    local seen, note = in_order()
    after(0, note "timer")
    WebSocket.stop()
    WebSocket.step(0)
    assert.same({ "timer" }, seen)
  end)

  it("ends by stop", function()
    after(0.001, WebSocket.stop)
    after(60, nothing)
    soon(WebSocket.step, 60)
  end)

  it("raises for what is not a time", function()
    for _, wrong in ipairs { -1, 0 / 0, "soon", {} } do
      local ok, message = pcall(WebSocket.step, wrong)
      assert.is_false(ok)
      assert.matches("bad argument #1 to '[%w.]*step'", message)
    end
  end)
end)

describe("a timer", function()
  it("fires once, and not before its time", function()
    local fired = 0
    local took, own = time(function()
      after(0.05, function() fired = fired + 1 end)
      WebSocket.run()
    end)
    assert.equal(1, fired)
    assert(took >= 0.05 and own < 0.05 + SOON, took)
  end)

  it("fires in the order of time, and for the same time in the order made", function()
    local seen, note = in_order()
    after(0.02, note "c")
    after(0.01, note "a")
    after(0.01, note "b")
    after(0, note "now")
    WebSocket.run()
    assert.same({ "now", "a", "b", "c" }, seen)
  end)

  it("of every fires until it is cancelled, also by itself", function()
    local ticks = 0
    local timer
    timer = every(0.001, function()
      ticks = ticks + 1
      if ticks == 5 then timer:cancel() end
    end)
    WebSocket.run()
    assert.equal(5, ticks)
  end)

  it("does not fire when it is cancelled", function()
    local seen, note = in_order()
    after(0.001, note "cancelled"):cancel()
    every(0.001, note "cancelled"):cancel()
    after(0.01, note "fires")
    WebSocket.run()
    assert.same({ "fires" }, seen)
  end)

  it("does not fire when another one, due in the same turn, cancels it", function()
    local seen, note = in_order()
    local victim
    after(0, function() victim:cancel() end)
    victim = after(0, note "cancelled")
    work(0.002)
    WebSocket.run()
    assert.same({}, seen)
  end)

  it("can be cancelled twice, and when it has fired", function()
    local timer = after(0, nothing)
    WebSocket.run()
    timer:cancel()
    timer:cancel()
    local other = after(1, nothing)
    other:cancel()
    other:cancel()
    assert.is_false(WebSocket.step(0))
  end)

  it("can be made inside another, and has its own turn then", function()
    local seen, note = in_order()
    after(0, function()
      after(0, note "inner")
      note "outer"()
    end)
    assert.is_true(WebSocket.step(0))
    assert.same({ "outer" }, seen)
    WebSocket.run()
    assert.same({ "outer", "inner" }, seen)
  end)

  it("that starts itself anew, for no time, leaves a turn its end", function()
    local fired = 0
    local function again()
      fired = fired + 1
      assert(fired < 10, "one turn without end")
      after(0, again)
    end
    after(0, again)
    WebSocket.step(0)
    assert(fired <= 2)
    WebSocket.step(0)
  end)

  it("keeps its interval, whatever its function takes", function()
    local interval, ticks, watch = 0.04, 0, stopwatch.start()
    local timer
    timer = every(interval, function()
      ticks = ticks + 1
      work(0.03)
      if ticks == 15 then timer:cancel() end
    end)
    WebSocket.run()
    local took, own = watch()
    -- Every interval a function's time longer would make it 1.05 s.
    assert(took >= 15 * interval and own < 1, took)
  end)

  it("leaves out what it missed", function()
    local ticks = 0
    every(0.01, function()
      ticks = ticks + 1
      if ticks == 1 then work(0.1) end
    end)
    WebSocket.step(1)
    turn.never(function()
      return ticks > 5
    end, "a burst of ticks", 0.015)
  end)

  it("slower than its interval leaves time for everything else", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    local conn = server:accept()
    local ticks = 0
    for _ = 1, 3 do
      every(0.002, function()
        ticks = ticks + 1
        assert(ticks < 1000, "it keeps the loop from reading")
        work(0.004)
      end)
    end
    conn:upgrade()
    conn:text "hello"
    client:await "messages"
  end)

  it("is not collected while it is armed, and is afterwards", function()
    local weak, fired = setmetatable({}, { __mode = "k" }), 0
    local function make(start, seconds)
      weak[start(seconds, function() fired = fired + 1 end)] = true
    end
    make(WebSocket.after, 0.01)
    collect()
    assert.is_not_nil(next(weak))
    WebSocket.run()
    assert.equal(1, fired)
    collect()
    assert.is_nil(next(weak))
  end)

  it("is collected when it is cancelled", function()
    local weak = setmetatable({}, { __mode = "k" })
    local function make()
      local timer = WebSocket.every(60, function() end)
      weak[timer] = true
      timer:cancel()
    end
    make()
    collect()
    assert.is_nil(next(weak))
  end)

  it("gives its function nothing, and takes nothing from it", function()
    local count
    after(0, function(...)
      count = select("#", ...)
      return 1, 2, 3
    end)
    WebSocket.run()
    assert.equal(0, count)
  end)

  it("is refused when what is given makes no sense", function()
    local function refused(pattern, fn, ...)
      local ok, message = pcall(fn, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    for name, start in pairs { after = WebSocket.after, every = WebSocket.every } do
      for _, wrong in ipairs { -1, 0 / 0, math.huge, "soon", {} } do
        refused("bad argument #1 to '[%w.]*" .. name .. "'", start, wrong, nothing)
      end
      refused("bad argument #1 to '[%w.]*" .. name .. "'", start)
      refused("bad argument #2 to '[%w.]*" .. name .. "'", start, 1)
      refused("bad argument #2 to '[%w.]*" .. name .. "'", start, 1, "print")
    end
    refused("bad argument #1 to '[%w.]*every'", WebSocket.every, 0, nothing)
    assert.is_false(WebSocket.step(0))
  end)
end)

describe("an error in a timer", function()
  it("comes out of run with the traceback of the function, and run can go on", function()
    local seen, note = in_order()
    local function fails_deep_inside()
      error "on purpose"
    end
    after(0, function()
      fails_deep_inside()
    end)
    after(0, note "the other")
    local ok, message = pcall(WebSocket.run)
    assert.is_false(ok)
    assert.matches("loop_spec.lua:%d+: on purpose\nstack traceback:", message)
    assert.matches("fails_deep_inside", message)
    WebSocket.run()
    assert.same({ "the other" }, seen)
  end)

  it("comes out of step, too", function()
    after(0, function() error "on purpose" end)
    local ok, message = pcall(WebSocket.step, 1)
    assert.is_false(ok)
    assert.matches("on purpose\nstack traceback:", message)
    assert.is_false(WebSocket.step(0))
  end)

  it("that is not a string comes out unchanged", function()
    local values = { {}, 42, true, setmetatable({}, { __tostring = function() return "mine" end }) }
    for _, value in ipairs(values) do
      after(0, function() error(value) end)
      assert.same({ false, value }, { pcall(WebSocket.run) })
    end
    after(0, function() error(nil) end)
    assert.same({ false, nil }, { pcall(WebSocket.run) })
  end)

  it("leaves every armed", function()
    local ticks = 0
    local timer = every(0.001, function()
      ticks = ticks + 1
      error "on purpose"
    end)
    for i = 1, 3 do
      assert.is_false((pcall(WebSocket.run)))
      assert.equal(i, ticks)
    end
    timer:cancel()
    WebSocket.run()
  end)

  it("comes one at a time, none is lost", function()
    for i = 1, 5 do
      after(0, function() error { i } end)
    end
    for i = 1, 5 do
      assert.same({ false, { i } }, { pcall(WebSocket.run) })
    end
    WebSocket.run()
  end)
end)

--------------------------------------------------------------------------------------------------

-- Another event loop, as small as can be: turns until done() and returns how many turns it took.
-- Each beat of ours, which lets the peers of this thread have a turn, is not counted.
local BEAT = 0.005 -- seconds

local function outer_loop(done, limit)
  local deadline = socket.gettime() + (limit or 20)
  local poll = { { getfd = WebSocket.fd } }
  local turns = 0
  while not done() do
    assert(socket.gettime() < deadline, "the outer loop came to no end")
    local due = WebSocket.timeout()
    local ready = socket.select(poll, nil, math.min(due or BEAT, BEAT))
    if ready[1] or due and due <= BEAT then
      WebSocket.step(0)
      turns = turns + 1
    end
  end
  return turns
end

describe("another event loop", function()
  it("polls one descriptor, always the same", function()
    local fd = WebSocket.fd()
    assert.equal("integer", math.type(fd))
    after(0, nothing)
    WebSocket.run()
    assert.equal(fd, WebSocket.fd())
  end)

  it("may wait for ever when there is nothing to do", function()
    WebSocket.step(0)
    assert.is_nil(WebSocket.timeout())
    after(1, nothing):cancel()
    assert.is_nil(WebSocket.timeout())
  end)

  it("has nothing to do because a handler is assigned", function()
    settle()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    for _, name in ipairs { "on_open", "on_message", "on_close" } do ws[name] = nothing end
    assert.is_nil(WebSocket.timeout())
  end)

  it("is told how long until the next timer, from now on", function()
    settle()
    after(0.5, nothing)
    WebSocket.step(0)
    local before = WebSocket.timeout()
    assert(before > 0.3 and before <= 0.502, before)
    work(0.05)
    local behind = WebSocket.timeout()
    assert(behind <= before - 0.049, behind)
    local timer = after(0.01, nothing)
    work(0.02)
    assert.equal(0, WebSocket.timeout())
    timer:cancel()
  end)

  it("has timers on time without a turn too many", function()
    local ticks = 0
    settle()
    every(0.01, function() ticks = ticks + 1 end)
    local turns = outer_loop(function()
      return ticks == 10
    end)
    assert(turns <= 25, turns)
  end)

  for _, secure in ipairs { false, true } do
    it("carries a whole conversation over " .. (secure and "wss" or "ws"), function()
      local certs = require "support.certs"
      local server = Server.start { tls = secure and certs.good or nil }
      local large = ("x"):rep(300000)
      local client = watched.new {
        url = server:url(nil, secure and "localhost" or nil),
        tls = secure and { ca_file = certs.ca } or nil,
        on_open = function(_, ws) ws:send "1" end,
        on_message = function(data, _, ws)
          local number = data ~= large and assert(tonumber(data))
          if number == 50 then
            ws:close()
          elseif number then
            ws:send(tostring(number + 1))
          end
        end,
      }
      client.ws:connect(large)
      local turns = outer_loop(function()
        return client.ws.status == "closed"
      end, 20)
      assert.equal(51, #client.messages)
      assert(turns < 1000, turns)
    end)
  end

  it("does not spin while a connection is idle, or paused with bytes to read", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    local conn = server:welcome()
    client:await "opens"
    settle()
    for _, paused in ipairs { false, true } do
      if paused then
        client.ws:pause()
        conn:text "not yet"
      end
      local till = socket.gettime() + 0.3
      local turns = outer_loop(function()
        return socket.gettime() > till
      end)
      assert(turns < 10, turns)
    end
    assert.same({}, client.messages)
    client.ws:resume()
    outer_loop(function()
      return client.messages[1]
    end)
  end)

  it("learns at once of what a call outside the loop has to do", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    local conn = server:welcome()
    client:await "opens"
    outer_loop(function()
      return WebSocket.timeout() ~= 0
    end)
    client.ws:send "sent from outside"
    assert.equal(0, WebSocket.timeout())
    WebSocket.step(0)
    assert.equal("sent from outside", conn:receive_text())
  end)

  it("learns at once of what a failed handler left over", function()
    local server = Peer.listen()
    local failed = false
    local client = watched.connect {
      url = server.url,
      on_message = function()
        if not failed then
          failed = true
          error "on purpose"
        end
      end,
    }
    local conn = server:welcome()
    client:await "opens"
    conn:send(Peer.encode("text", "one") .. Peer.encode("text", "two"))
    local ok = pcall(outer_loop, function() end)
    assert.is_false(ok)
    assert.equal(1, #client.messages)
    assert.equal(0, WebSocket.timeout())
    outer_loop(function()
      return client.messages[2]
    end)
  end)
end)

--------------------------------------------------------------------------------------------------

local IDLE = [[
local WebSocket = require "steadysocket"
local function mark(name) io.open("/steadysocket-" .. name) end

local client = WebSocket.new { url = arg[1], tls = { verify = false } }
client.on_open = function(_, ws) ws:send "hello" end
client.on_message = function()
  WebSocket.after(0.3, function() -- all is said and done, also by libwebsockets
    mark "begin"
    WebSocket.after(0.5, function()
      mark "end"
      client:close()
    end)
  end)
end
client:connect()
WebSocket.run()
]]

-- The calls into the system that strace saw between the marks.
local function calls_between_marks(trace)
  local calls, inside = {}, false
  for line in trace:gmatch "[^\n]+" do
    local name = line:match "^%d+ +([%w_]+)%("
    if line:find "/steadysocket%-end" then inside = false end
    if inside and name then calls[#calls + 1] = name end
    if line:find "/steadysocket%-begin" then inside = true end
  end
  return calls
end

-- Which ptrace does not go with.
local NO_LEAK_CHECK = "ASAN_OPTIONS=detect_leaks=0"

local function strace_works()
  if not child.has "strace" then return false, "strace is not installed" end
  if os.execute(NO_LEAK_CHECK .. " strace -o /dev/null true 2> /dev/null") then return true end
  return false, "strace is not permitted here"
end

describe("an open connection on which nothing happens", function()
  for _, secure in ipairs { false, true } do
    it("wakes nobody up, over " .. (secure and "wss" or "ws"), function()
      local works, why = strace_works()
      if not works then
        pending(why)
        return
      end
      local server = Server.start { tls = secure and require("support.certs").good or nil }
      local trace = os.tmpname()
      local result = child.run(IDLE, { server:url() }, {
        under = "strace -f -o " .. trace,
        environment = NO_LEAK_CHECK,
      })
      assert.same({ "", 0 }, { result.err, result.code })
      local file <close> = assert(io.open(trace))
      local calls = calls_between_marks(file:read "a")
      os.remove(trace)
      -- One wait, until the timer's time.
      assert(#calls >= 1 and #calls <= 3, table.concat(calls, " "))
    end)
  end
end)
