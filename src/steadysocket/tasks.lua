--- Completes the module: the core, in C, has clients, timers and the loop. Here are tasks, which
--- are coroutines that the loop resumes, and the calls that wait: a task yields, and whoever is
--- outside of the loop runs it.

local core = require "steadysocket.core"
local internal = core.internal -- what users shall not see
local methods = internal.methods

----------------------------------------------------------------------------------------------------
-- Tasks

local WAIT = {} -- what a task yields, and nobody else can

local ALIEN = "a task yielded something of its own; inside a task, use coroutines of your own, or "
  .. "receive, wait, flush and sleep"

local Task = {}
Task.__index = Task

local current -- the task that runs now, if any

-- Goes on with a task until it waits or ends.
local function resume(task, ...)
  local thread = task.thread
  current = task
  local ok, result = coroutine.resume(thread, ...)
  current = nil
  if coroutine.status(thread) == "suspended" then
    if result == WAIT then return end
    ok, result = false, ALIEN
  end
  if task.home == internal.home() then internal.hold(-1) end
  if ok then return end
  if type(result) == "string" then result = debug.traceback(thread, result) end
  coroutine.close(thread)
  error(result, 0)
end

-- From then on a task keeps the loop alive.
local function settle(task)
  task.home = internal.home()
  internal.hold(1)
end

-- A task that has forked waits, in the child, on the child's loop.
function Task.pause()
  if current.home ~= internal.home() then settle(current) end
  coroutine.yield(WAIT)
  return true
end

-- What waits on the parent's loop is not the child's to wake.
function Task:wake()
  if self.home == internal.home() and coroutine.status(self.thread) == "suspended" then
    resume(self)
  end
end

--- Runs fn(...) as a task, from the loop's next turn on. An error in it comes out of run, step or a
--- call that waits, with the task's traceback. Raises when fn is no function.
function core.spawn(fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'spawn' (function expected, got %s)"):format(type(fn)), 2)
  end
  local arguments = table.pack(...)
  local task = setmetatable({ thread = coroutine.create(fn) }, Task)
  settle(task)
  core.after(0, function()
    resume(task, table.unpack(arguments, 1, arguments.n))
  end)
end

----------------------------------------------------------------------------------------------------
-- Waiting. Who waits has pause(), which returns after wake() or sooner, and then whether there is
-- anything left to wait for.

local outside = {
  pause = function() return core.step() end,
  wake = function() end,
}

local host -- the event loop that runs ours, if there is one: see attach

-- Who waits now: the running task, or whatever is outside of the loop.
local function waiter(name)
  if current and coroutine.running() == current.thread then return current end
  if internal.running() then
    error(name .. ": a handler, or a coroutine inside a task, cannot wait; do it in a task of its "
      .. "own (WebSocket.spawn)", 3)
  end
  if not host then return outside end
  return host.waiter and host.waiter()
    or error(("%s: %s runs the loop; wait in a task (WebSocket.spawn)"):format(name, host.name), 3)
end

-- Wakes those of a list from a place on. One that fails must not keep the others asleep.
local function wake_from(list, first)
  for i = first, #list do
    local ok, failure = pcall(list[i].wake, list[i])
    if not ok then
      core.after(0, function() wake_from(list, i + 1) end)
      error(failure, 0)
    end
  end
end

-- Who waits for a change of a client, in the order they came. The core calls while there is anyone.
local waiting = setmetatable({}, { __mode = "k" })

local function watch(ws, who)
  if not waiting[ws] then
    local list = {}
    waiting[ws] = list
    internal.watch(ws, function() wake_from(table.move(list, 1, #list, 1, {}), 1) end)
  end
  table.insert(waiting[ws], who)
end

local function unwatch(ws, who)
  local list = waiting[ws]
  for i, each in ipairs(list) do
    if each == who then
      table.remove(list, i)
      break
    end
  end
  if #list == 0 then
    waiting[ws] = nil
    internal.watch(ws, nil)
  end
end

local function at_end(fn)
  return setmetatable({}, { __close = fn })
end

-- One value where there is no second one: print shows each nil.
local function given(value, detail)
  if detail == nil then return value end
  return value, detail
end

-- Waits until condition() returns something, and returns that; or nil, "timeout" after so many
-- seconds (nil: never). ws: the client that the condition is about, if any.
local function wait_for(who, ws, seconds, condition)
  local value, detail = condition()
  if value ~= nil or detail ~= nil then return given(value, detail) end

  local timed_out = false
  local timer = seconds and core.after(seconds, function()
    timed_out = true
    who:wake()
  end)
  if ws then watch(ws, who) end
  local _ <close> = at_end(function()
    if timer then timer:cancel() end
    if ws then unwatch(ws, who) end
  end)

  repeat
    local left = who:pause()
    value, detail = condition()
    if value ~= nil or detail ~= nil then return given(value, detail) end
  until timed_out or not left
  return nil, timed_out and "timeout" or "closed"
end

local function check_seconds(seconds, index, name)
  if seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    error(("bad argument #%d to '%s' (seconds, 0 or more, expected)"):format(index, name), 3)
  end
  return seconds ~= math.huge and seconds or nil
end

-- Whether the status is that one, and its handlers have run.
local function has_reached(ws, status)
  return ws.status == status and internal.settled(ws)
end

local function at_rest(ws)
  return has_reached(ws, "closed") or has_reached(ws, "idle")
end

-- Those below raise where nobody can wait (in a handler, say), and for what is no time: times are
-- seconds, 0 or more, and nil is for ever.

--- ws:receive([timeout]) -> data, kind ("text", "binary") | nil, "timeout" | nil, "closed". Raises
--- when the client has an on_message.
function methods.receive(ws, timeout)
  timeout = check_seconds(timeout, 1, "receive")
  if ws.on_message then
    error("receive: the client has an on_message, which gets its messages", 2)
  end
  return wait_for(waiter "receive", ws, timeout, function()
    local data, kind = internal.take(ws)
    if data then return data, kind end
    if at_rest(ws) then return nil, "closed" end
  end)
end

--- for data, kind in ws:messages() do ... end
function methods.messages(ws)
  return function() return ws:receive() end
end

local statuses = {}
for _, status in ipairs { "idle", "connecting", "open", "waiting", "closing", "closed" } do
  statuses[status] = true
end

--- ws:wait([status [, timeout]]) -> true | nil, "timeout" | nil, "closed". status is "open" without
--- one; raises for what is none.
function methods.wait(ws, status, timeout)
  status = status or "open"
  timeout = check_seconds(timeout, 2, "wait")
  if not statuses[status] then
    error(("bad argument #1 to 'wait' (no status: '%s')"):format(tostring(status)), 2)
  end
  return wait_for(waiter "wait", ws, timeout, function()
    if has_reached(ws, status) then return true end
    if has_reached(ws, "closed") then return nil, "closed" end
  end)
end

--- ws:flush([timeout]) -> true | nil, "timeout" | nil, "closed"
function methods.flush(ws, timeout)
  timeout = check_seconds(timeout, 1, "flush")
  return wait_for(waiter "flush", ws, timeout, function()
    if ws.queued == 0 and ws.unconfirmed == 0 then return true end
    if at_rest(ws) then return nil, "closed" end
  end)
end

--- WebSocket.sleep(seconds): which have to be given.
function core.sleep(seconds)
  if seconds == nil then
    error("bad argument #1 to 'sleep' (seconds expected)", 2)
  end
  wait_for(waiter "sleep", nil, check_seconds(seconds, 1, "sleep"), function() end)
end

----------------------------------------------------------------------------------------------------
-- Other event loops

local run, step, timeout = core.run, core.step, core.timeout

local function refuse(name)
  return function()
    error(("%s: %s runs the loop; run that one, or detach it"):format(name, host.name), 2)
  end
end

--- Has another event loop run ours: for steadysocket.luv and its like. The other loop is
--   name      for messages
--   wake()    called by calls from outside of our loop that gave it something to do: step soon
--   waiter()  optional: how the running coroutine waits in that loop, { pause = , wake = } (nil: it
--             cannot); wake() makes pause(), which returns true, return
-- Returns the function that makes one turn, without waiting, and returns whether work is left, and
-- the seconds until the next turn at the latest (nil: none is due). A turn is also due as soon as
-- WebSocket.fd() is readable. It raises what handlers raise.
function internal.attach(loop)
  if host then error(("attach: %s runs the loop already"):format(host.name), 3) end
  if internal.running() then error("attach: not inside a handler", 3) end
  host = loop
  internal.on_work(loop.wake)
  core.run, core.step = refuse "run", refuse "step"
  return function()
    return step(0), timeout()
  end
end

--- From now on `run` and `step` run the loop again.
function internal.detach()
  host = nil
  internal.on_work(nil)
  core.run, core.step = run, step
end

core.internal = nil
package.loaded["steadysocket.internal"] = internal -- for the other modules of this directory
return core
