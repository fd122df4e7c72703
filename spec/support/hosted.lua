-- What every adapter to another event loop has to do, as specs: see hosted.specs at the end.
-- Each is a child that runs the other loop, so that the two do not fight over this process.
--
-- loop: name, the module steadysocket.<name>; module, what has to be there; ends = false for a loop
-- that never returns; waits = false where only tasks can wait; naps, how often a second it wakes up
-- by itself; prelude, code that defines attach(), loop(), later(seconds, fn), which is a timer of
-- the other loop's, and in_coroutine(fn), which calls fn as that loop calls its coroutines.

local assert = require "luassert"

local Server = require "support.server"
local child = require "support.child"

local hosted = {}

-- Defined before the prelude and behind it, for all cases. finish() is for loops without an end.
local BEGIN = [[
local WebSocket = require "steadysocket"
local socket = require "socket"
local stopwatch = require "support.stopwatch"
local url, count = arg[1], 0
local finish = function() end

local function check(ok, message)
  if not ok then
    io.stderr:write(debug.traceback(message or "failed"), "\n")
    os.exit(1)
  end
  return ok
end

-- Changes of this thread from asleep to awake.
local function naps()
  for line in io.lines "/proc/self/status" do
    local number = line:match "^voluntary_ctxt_switches:%s*(%d+)"
    if number then return tonumber(number) end
  end
end

-- What a tenth of them did not exceed. On a loaded machine most take longer, but where our loop or the
-- other one waits for no reason, all do.
local function quick(list)
  table.sort(list)
  return list[#list // 10 + 1]
end
]]

local server

local function run(loop, code)
  return child.run(BEGIN .. loop.prelude .. code, { server:url "" })
end

--- Runs a case, which must end without an error, and returns its output.
function hosted.passes(loop, code)
  local result = run(loop, code)
  assert.equal("", result.err)
  assert.equal(0, result.code)
  return result.out
end

local function conversation(loop, it)
  it("carries a conversation, and returns when the client is closed", function()
    local out = hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new(url .. "/echo", function(data, kind, ws)
        print(data, kind)
        if data == "3" then ws:close() else ws:send(tostring(data + 1)) end
      end)
      ws.on_close = function(event) print(event.code, event.clean) finish() end
      ws:connect "1"
      loop()
      print(ws.status)
    ]])
    assert.equal("1\ttext\n2\ttext\n3\ttext\n1000\ttrue\nclosed\n", out)
  end)

  it("reconnects", function()
    local out = hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new {
        url = { url .. "/close?code=1001", url .. "/echo" },
        reconnect = { min_delay = 0.05, jitter = 0 },
      }
      ws.on_close = function(event)
        print("closed", event.code)
        if event.will_reconnect then later(0.001, function() ws:send "kept" end) end
      end
      ws.on_open = function(event) print("open", event.reconnected) end
      ws.on_message = function(data) print(data) ws:close() end
      ws.on_status = function(status) if status == "closed" then finish() end end
      ws:connect()
      ws.on_error = print
      loop()
    ]])
    assert.equal("open\tfalse\nclosed\t1001\nopen\ttrue\nkept\nclosed\t1000\n", out)
  end)

  it("obeys calls from the other loop's callbacks at once", function()
    hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new(url .. "/echo")
      local start, took = nil, {}
      local function send()
        start = socket.gettime()
        ws:send "hello"
      end
      ws.on_open = function() later(0.001, send) end
      ws.on_message = function()
        took[#took + 1] = socket.gettime() - start
        if #took < 20 then later(0.001, send) else later(0.001, function() ws:close() end) end
      end
      ws.on_status = function(status) if status == "closed" then finish() end end
      later(0.01, function() ws:connect() end)
      loop()
      check(ws.status == "closed")
      check(quick(took) < 0.01, quick(took))
    ]])
  end)

  it("runs with tasks", function()
    local out = hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new(url .. "/count?n=3")
      WebSocket.spawn(function()
        ws:connect()
        for data in ws:messages() do
          print(data)
          WebSocket.sleep(0.01)
          if data == "3" then ws:close() end
        end
        finish()
      end)
      loop()
    ]])
    assert.equal("1\n2\n3\n", out)
  end)
end

local function timers(loop, it)
  it("has timers on time, next to those of the other loop", function()
    local out = hosted.passes(loop, [[
      attach()
      local watch = stopwatch.start()
      WebSocket.after(0.01, function()
        print "ours"
        later(0.01, function()
          print "theirs"
          local ticks, ticker = 0, nil
          ticker = WebSocket.every(0.01, function()
            ticks = ticks + 1
            if ticks < 5 then return end
            ticker:cancel()
            finish()
          end)
        end)
      end)
      loop()
      local took, own = watch()
      check(took > 0.069 and own < 0.5, took)
    ]])
    assert.equal("ours\ntheirs\n", out)
  end)

  it("wakes up for a timer that is sooner than the one it waits for", function()
    hosted.passes(loop, [[
      attach()
      local far = WebSocket.after(60, function() end)
      later(0.02, function()
        WebSocket.after(0.01, function()
          far:cancel()
          finish()
        end)
      end)
      local _, own = stopwatch.time(loop)
      check(own < 1, own)
    ]])
  end)

  if loop.ends ~= false then
    it("returns when nothing is left, also by a call from outside, and can be run again", function()
      hosted.passes(loop, [[
        attach()
        local watch = stopwatch.start()
        loop()
        local far = WebSocket.after(60, function() end)
        later(0.02, function() far:cancel() end)
        loop()
        for _ = 1, 2 do
          local fired
          WebSocket.after(0.01, function() fired = true end)
          loop()
          check(fired)
          local ws = WebSocket.new(url .. "/echo")
          ws.on_open = function() ws:close() end
          ws:connect()
          loop()
          check(ws.status == "closed")
        end
        check(select(2, watch()) < 2)
      ]])
    end)
  end
end

local function stuck_tasks(loop, it)
  it("sleeps while only tasks are left that nothing can wake, until a call from outside", function()
    hosted.passes(loop, [[
      attach()
      local ws, seen = WebSocket.new(url .. "/echo"), nil
      WebSocket.spawn(WebSocket.sleep, math.huge)
      WebSocket.spawn(function()
        seen = ws:wait "open"
        ws:close()
        finish()
      end)
      later(0.5, function() ws:connect() end)
      local used = os.clock()
      loop()
      used = os.clock() - used
      check(seen == true)
      check(used < 0.25, used) -- to spin takes all of the half second
    ]])
  end)

  if loop.ends == false then return end
  it("returns when only tasks are left that nothing can wake, and run names them", function()
    hosted.passes(loop, [[
      attach()
      local start = socket.gettime()
      WebSocket.spawn(WebSocket.sleep, math.huge)
      loop()
      loop()
      check(socket.gettime() - start < 5) -- the other way is for ever
      require("steadysocket.]] .. loop.name .. [[").detach()
      local ok, message = pcall(WebSocket.run)
      check(not ok and message:find("that wait in sleep at", 1, true), message)
    ]])
  end)
end

local function waits(loop, it)
  if loop.waits == false then
    it("tells a call that waits outside of a task what to do", function()
      hosted.passes(loop, [[
        attach()
        local ws = WebSocket.new(url .. "/echo")
        in_coroutine(function()
          for _, call in ipairs { ws.wait, ws.receive, function() WebSocket.sleep(1) end } do
            if call == ws.receive then ws:connect() end
            local ok, message = pcall(call, ws)
            check(not ok)
            check(message:find("]] .. loop.name .. [[ runs the loop; wait in a task (WebSocket.spawn)",
              1, true), message)
          end
          ws:close()
          finish()
        end)
        loop()
      ]])
    end)
    return
  end

  it("lets its coroutines wait for ours, while others go on", function()
    hosted.passes(loop, [[
      attach()
      local seen = {}
      for i = 1, 10 do
        in_coroutine(function()
          local ws = WebSocket.new(url .. "/echo")
          ws:connect()
          check(ws:wait("open", 5))
          ws:send "first"
          check(ws:receive() == "first")
          local data, reason = ws:receive(0.01)
          check(data == nil and reason == "timeout")
          WebSocket.sleep(0.01)
          ws:send "last"
          check(ws:flush())
          for message in ws:messages() do
            seen[i] = message
            ws:close()
          end
        end)
      end
      later(0.01, function() seen.theirs = true end)
      loop()
      check(seen.theirs)
      for i = 1, 10 do check(seen[i] == "last", i) end
    ]])
  end)

  it("lets nobody wait who is in none of its coroutines, or in a handler", function()
    hosted.passes(loop, [[
      attach()
      local ok, message = pcall(WebSocket.sleep, 0.01)
      check(not ok and message:find("]] .. loop.name .. [[ runs the loop", 1, true), message)
      WebSocket.after(0, function()
        ok, message = pcall(WebSocket.sleep, 0.01)
        check(not ok and message:find("a handler", 1, true), message)
      end)
      loop()
    ]])
  end)
end

local function attaching(loop, it)
  it("is the only one that runs the loop, until it is detached", function()
    hosted.passes(loop, [[
      attach()
      for name, call in pairs { run = WebSocket.run, step = WebSocket.step } do
        local ok, message = pcall(call)
        check(not ok and message:find(name .. ": ]] .. loop.name .. [[ runs the loop; run that one, "
          .. "or detach it", 1, true), message)
      end
      attach() -- changes nothing
      local adapter, fired = require "steadysocket.]] .. loop.name .. [[", 0
      WebSocket.after(0.01, function()
        fired = fired + 1
        WebSocket.after(0.01, function() fired = fired + 1 end)
        adapter.detach()
        adapter.detach()
        finish()
      end)
      loop()
      check(fired == 1)
      WebSocket.run()
      check(fired == 2)
      attach()
      WebSocket.after(0.01, function()
        fired = fired + 1
        finish()
      end)
      loop()
      check(fired == 3)
    ]])
  end)

  it("cannot be attached while another one is, or in a handler", function()
    hosted.passes(loop, [[
      WebSocket.after(0, function()
        local ok, message = pcall(attach)
        check(not ok and message:find("attach: not inside a handler", 1, true), message)
      end)
      WebSocket.run()
      local internal = require "steadysocket.internal"
      internal.attach { name = "another", wake = function() end }
      local ok, message = pcall(attach)
      check(not ok and message:find("attach: another runs the loop already", 1, true), message)
      internal.detach()
      attach()
      WebSocket.after(0, finish)
      loop()
    ]])
  end)
end

local function ending(loop, it)
  it("goes with its Lua state, while clients, timers and tasks are left", function()
    hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new(url .. "/echo")
      ws:connect()
      WebSocket.spawn(ws.receive, ws)
      ws.on_open = function()
        require("steadysocket.]] .. loop.name .. [[").detach()
        finish()
      end
      loop()
      check(ws.status == "open")
      attach()
      WebSocket.after(60, finish)
    ]])
  end)
end

local function figures(loop, it)
  it("lets the other loop sleep while nothing happens", function()
    local out = hosted.passes(loop, [[
      attach()
      local ws = WebSocket.new(url .. "/echo")
      local before
      ws.on_open = function()
        WebSocket.after(0.1, function() before = { naps(), os.clock() } end)
        WebSocket.after(1.1, function()
          print(naps() - before[1], os.clock() - before[2])
          ws:close()
        end)
      end
      ws.on_status = function(status) if status == "closed" then finish() end end
      ws:connect()
      loop()
    ]])
    local naps, seconds = out:match "(%d+)\t(%S+)"
    assert(tonumber(naps) <= 2 + (loop.naps or 0), out)
    assert(tonumber(seconds) < 0.02, out) -- of the processor's time
  end)

  it("is woken up by a message within a millisecond", function()
    local out = hosted.passes(loop, [[
      local function echoes(run)
        local times, start = {}, nil
        local ws = WebSocket.new(url .. "/echo")
        local function send()
          start = socket.gettime()
          ws:send "hello"
        end
        ws.on_open = send
        ws.on_message = function()
          times[#times + 1] = socket.gettime() - start
          if #times < 300 then WebSocket.after(0.001, send) else ws:close() end
        end
        ws.on_status = function(status) if status == "closed" then finish() end end
        ws:connect()
        run()
        return quick(times)
      end
      local alone = echoes(WebSocket.run)
      attach()
      print(alone * 1e6, echoes(loop) * 1e6)
    ]])
    local alone, inside = out:match "(%S+)\t(%S+)"
    assert(tonumber(inside) < tonumber(alone) + 1000, out)
    if os.getenv "STEADY_FIGURES" then
      print(("echo, µs: %.0f by itself, %.0f inside %s"):format(alone, inside, loop.name))
    end
  end)
end

--- Declares the specs that all have in common, with busted's functions, which only spec files have;
--- returns `it` for further ones, which leaves them out where the other loop is not there.
function hosted.specs(loop, busted)
  local there = child.run(loop.prelude .. ("\nrequire %q"):format(loop.module)).code == 0
  local function it(name, fn)
    if there then
      busted.it(name, fn)
    else
      busted.pending(("%s (%s is not there)"):format(name, loop.module))
    end
  end
  busted.setup(function() server = Server.start() end)
  busted.teardown(Server.stop_all)
  conversation(loop, it)
  timers(loop, it)
  stuck_tasks(loop, it)
  waits(loop, it)
  attaching(loop, it)
  ending(loop, it)
  figures(loop, it)
  return it
end

return hosted
