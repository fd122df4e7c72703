--- steadysocket: the WebSocket client that stays connected.
--
-- The core, in C, has clients, timers and the loop. Here are tasks, which are coroutines that the
-- loop resumes, and the calls that wait: inside a task they yield, outside one they run the loop.

local core = require "steadysocket.core"
local internal = core.internal -- what users shall not see
local methods = internal.methods

local WAIT = {} -- what a task yields, and nobody else can

local current -- the task that runs now, if any: { thread = coroutine }

local function resume(task, ...)
  local previous = current
  current = task
  local ok, yielded = coroutine.resume(task.thread, ...)
  current = previous
  local finished = coroutine.status(task.thread) == "dead"
  if finished then internal.hold(-1) end
  if not ok then
    if type(yielded) == "string" then yielded = debug.traceback(task.thread, yielded) end
    error(yielded, 0)
  end
  if not finished and yielded ~= WAIT then
    internal.hold(-1)
    error(debug.traceback(task.thread, "a task yielded something of its own; inside a task, use "
      .. "coroutines of your own, or receive, wait, flush and sleep"), 0)
  end
end

--- Runs fn(...) as a task, from the loop's next turn on.
function core.spawn(fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'spawn' (function expected, got %s)"):format(type(fn)), 2)
  end
  local arguments = table.pack(...)
  local task = { thread = coroutine.create(fn) }
  internal.hold(1)
  core.after(0, function()
    resume(task, table.unpack(arguments, 1, arguments.n))
  end)
end

--- The task that may wait now; nil: outside of the loop, which the caller then has to run.
local function waiter(name)
  if current and coroutine.running() == current.thread then return current end
  if internal.running() then
    error(name .. ": a handler, or a coroutine of its own, cannot wait; do it in a task "
      .. "(WebSocket.spawn)", 3)
  end
end

local function check_seconds(seconds, index, name)
  if seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    error(("bad argument #%d to '%s' (seconds, 0 or more, expected)"):format(index, name), 3)
  end
  return seconds ~= math.huge and seconds or nil
end

--- Waits, for `seconds` at most (nil: for ever). register(wake) has wake called when the condition
-- may have come true; it returns a function that undoes this. Returns what the condition returned
-- when its first value was not nil, or nil, "timeout".
local function wait_for(task, seconds, condition, register)
  local results = table.pack(condition())
  if results[1] ~= nil or results[2] ~= nil then return table.unpack(results, 1, results.n) end

  local timed_out, timer = false, nil
  local over = false
  local function wake()
    if over then return end
    results = table.pack(condition())
    over = timed_out or results[1] ~= nil or results[2] ~= nil
    if over and task then resume(task) end
  end
  if seconds then
    timer = core.after(seconds, function()
      timed_out = true
      wake()
    end)
  end
  local unregister = register(wake)
  if task then
    coroutine.yield(WAIT)
  else
    -- When nothing is left to do, nothing will change.
    local ok, failure = pcall(function()
      while not over and core.step() do end
    end)
    if not ok then
      over = true
      if timer then timer:cancel() end
      unregister()
      error(failure, 0)
    end
  end
  over = true
  if timer then timer:cancel() end
  unregister()
  if results[1] ~= nil or results[2] ~= nil then return table.unpack(results, 1, results.n) end
  return nil, timed_out and "timeout" or "closed"
end

--- Who waits for something of a client. The core calls back while there is anyone.
local waiting = setmetatable({}, { __mode = "k" })

local function watch(ws)
  return function(wake)
    local wakes = waiting[ws]
    if not wakes then
      wakes = {}
      waiting[ws] = wakes
      internal.watch(ws, function()
        local now = {}
        for each in pairs(wakes) do now[#now + 1] = each end
        for _, each in ipairs(now) do each() end
      end)
    end
    wakes[wake] = true
    return function()
      wakes[wake] = nil
      if next(wakes) == nil and waiting[ws] == wakes then
        waiting[ws] = nil
        internal.watch(ws, nil)
      end
    end
  end
end

local function at_rest(ws)
  return ws.status == "closed" or ws.status == "idle"
end

--- ws:receive([timeout]) -> data, kind | nil, "timeout" | nil, "closed"
function methods.receive(ws, timeout)
  timeout = check_seconds(timeout, 1, "receive")
  if ws.on_message then
    error("receive: the client has an on_message, which gets its messages", 2)
  end
  return wait_for(waiter "receive", timeout, function()
    local data, kind = internal.take(ws)
    if data then return data, kind end
    if at_rest(ws) then return nil, "closed" end
  end, watch(ws))
end

--- for data, kind in ws:messages() do ... end
function methods.messages(ws)
  return function() return ws:receive() end
end

local statuses = {}
for _, status in ipairs { "idle", "connecting", "open", "waiting", "closing", "closed" } do
  statuses[status] = true
end

--- ws:wait([status [, timeout]]) -> true | nil, "timeout" | nil, "closed"
function methods.wait(ws, status, timeout)
  status = status or "open"
  timeout = check_seconds(timeout, 2, "wait")
  if not statuses[status] then
    error(("bad argument #1 to 'wait' (no status: '%s')"):format(tostring(status)), 2)
  end
  return wait_for(waiter "wait", timeout, function()
    if ws.status == status then return true end
    if ws.status == "closed" then return nil, "closed" end
  end, watch(ws))
end

--- ws:flush([timeout]) -> true | nil, "timeout" | nil, "closed"
function methods.flush(ws, timeout)
  timeout = check_seconds(timeout, 1, "flush")
  return wait_for(waiter "flush", timeout, function()
    if ws.queued == 0 and ws.unconfirmed == 0 then return true end
    if at_rest(ws) then return nil, "closed" end
  end, watch(ws))
end

--- WebSocket.sleep(seconds)
function core.sleep(seconds)
  check_seconds(seconds, 1, "sleep")
  if seconds == nil then
    error("bad argument #1 to 'sleep' (seconds expected)", 2)
  end
  wait_for(waiter "sleep", seconds, function() end, function() return function() end end)
end

core.internal = nil
return core
