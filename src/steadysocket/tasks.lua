--- Completes the module: the core, in C, has clients, timers and the loop. This file adds tasks,
--- which are coroutines that the loop resumes, and the calls that wait: in a task they yield,
--- outside of the loop they run it.

require "steadysocket.loader"
local core = require "steadysocket.core"
local internal = core.internal -- for the files of this directory only
local methods = internal.methods

----------------------------------------------------------------------------------------------------
-- Tasks

local WAIT = {} -- a task that waits yields this value, which nobody else has

local ALIEN = "a task yielded something of its own; inside a task, use coroutines of your own, or "
  .. "receive, wait, flush and sleep"

local Task = {}
Task.__index = Task

local current -- the task that is running now; nil when none is
local tasks = {} -- the keys are the tasks that have not ended
local spawned = 0 -- the number of the last task

-- Closes the variables of a task that has failed with this error, and raises the error. When
-- closing fails as well, that error comes out of the run or step after this one.
local function close_failed(thread, failure)
  local text = type(failure) == "string" and debug.traceback(thread, failure)
  local closed, second = coroutine.close(thread) -- is `failure` when closing raises nothing
  if not closed and not rawequal(second, failure) then
    internal.fail(text or failure)
    error(second, 0)
  end
  error(text or failure, 0)
end

-- Resumes a task, which runs until it waits or ends.
local function resume(task, ...)
  local thread = task.thread
  current = task
  local ok, result = coroutine.resume(thread, ...)
  current = nil
  if coroutine.status(thread) == "suspended" then
    if result == WAIT then return end
    ok, result = false, ALIEN
  end
  tasks[task] = nil
  if not ok then close_failed(thread, result) end
end

-- Makes the task one of this process, whose loop will wake it.
local function settle(task)
  task.home = internal.home()
  tasks[task] = true
end

-- Waits until wake() is called. A task that has forked belongs, in the child, to the child's loop.
function Task:pause()
  if self.home ~= internal.home() then settle(self) end
  self.paused = true
  coroutine.yield(WAIT)
  self.paused = false
  return true
end

-- In a forked child, the tasks that waited in the parent are not resumed.
function Task:wake()
  if self.home == internal.home() and coroutine.status(self.thread) == "suspended" then
    resume(self)
  end
end

--- Runs fn(...) as a task, which begins in the loop's next turn. An error in the task comes out of
--- run, of step or of a call that waits, with the task's traceback. Raises when fn is no function.
function core.spawn(fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'spawn' (function expected, got %s)"):format(type(fn)), 2)
  end
  local arguments = table.pack(...)
  spawned = spawned + 1
  local task = setmetatable({ thread = coroutine.create(fn), number = spawned }, Task)
  settle(task)
  core.after(0, function()
    resume(task, table.unpack(arguments, 1, arguments.n))
  end)
end

----------------------------------------------------------------------------------------------------
-- Tasks that are left over

-- Whether the task belongs to this process and has not ended. Otherwise removes it: a task of a
-- parent process, or one that has ended because somebody else resumed it.
local function is_left(task)
  if task.home == internal.home() and coroutine.status(task.thread) ~= "dead" then return true end
  tasks[task] = nil
  return false
end

local function any_left()
  for task in pairs(tasks) do
    if is_left(task) then return true end
  end
  return false
end

local OUR_FILE = debug.getinfo(1, "S").source

-- Returns the call in which a task waits and where its own code made it: "receive at prog.lua:12".
local function place_of(task)
  local level, info = 0
  repeat
    info = debug.getinfo(task.thread, level, "Sl")
    level = level + 1
  until not info or info.currentline > 0 and info.source ~= OUR_FILE
  local where = info and ("%s:%d"):format(info.short_src, info.currentline) or "a place unknown"
  return ("%s at %s"):format(task.waits_in or "not started", where)
end

local MOST_PLACES = 10 -- a message names at most so many

-- Returns a text with the places where tasks wait, beginning with that of the oldest task.
local function places()
  local list, order, counts = {}, {}, {}
  for task in pairs(tasks) do
    if is_left(task) then list[#list + 1] = task end
  end
  table.sort(list, function(a, b) return a.number < b.number end)
  for _, task in ipairs(list) do
    local place = place_of(task)
    if not counts[place] then order[#order + 1] = place end
    counts[place] = (counts[place] or 0) + 1
  end
  local named = table.move(order, 1, math.min(#order, MOST_PLACES), 1, {})
  for i, place in ipairs(named) do
    if counts[place] > 1 then named[i] = ("%s (%d tasks)"):format(place, counts[place]) end
  end
  if #order > #named then named[#named + 1] = ("%d more places"):format(#order - #named) end
  return table.concat(named, ", ")
end

-- The loop asks this function whether a task is left. name: "run" or "step" when that call would
-- wait for the task for ever; then the function raises an error that says where the tasks wait.
internal.on_rest(function(name)
  if not any_left() then return false end
  if not name then return true end
  error(("%s: nothing is left that could wake the tasks that wait in %s; connect their client, let "
    .. "them wait with a timeout, or end them with coroutine.close"):format(name, places()), 3)
end)

----------------------------------------------------------------------------------------------------
-- Waiting. A waiter is whatever waits: a task, the program outside of the loop, or a coroutine of
-- another event loop. Its pause() returns when wake() has been called, or sooner. It returns false
-- when nothing is left that could happen.

local outside = {
  pause = function() return not internal.at_rest() and core.step() end,
  wake = function() end,
}

local host -- the event loop that runs ours, or nil; see internal.attach

-- Returns the waiter for the code that is running. name: the call that wants to wait.
local function waiter(name)
  if current and coroutine.running() == current.thread then
    current.waits_in = name
    return current
  end
  if internal.running() then
    error(name .. ": a handler, or a coroutine inside a task, cannot wait; do it in a task of its "
      .. "own (WebSocket.spawn)", 3)
  end
  if not host then return outside end
  return host.waiter and host.waiter()
    or error(("%s: %s runs the loop; wait in a task (WebSocket.spawn)"):format(name, host.name), 3)
end

-- Wakes the waiters of a list, beginning at an index. When one fails, the loop halts, and the
-- others are woken in its next turn.
local function wake_from(list, first)
  for i = first, #list do
    local ok, failure = pcall(list[i].wake, list[i])
    if not ok then
      internal.fail(failure)
      core.after(0, function() wake_from(list, i + 1) end)
      return
    end
  end
end

-- For each client the list of those that wait for it, in the order in which they came. While there
-- is one, the core calls a function after each delivery.
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

-- for left in pauses(who, fn) do ... end: the waiter pauses before each turn; left is false when
-- nothing is left that could happen. However the loop ends, Lua 5.4 calls fn then, since a loop's
-- fourth value is closed like a variable with <close>, which other Luas could not even parse.
local function pauses(who, fn)
  return function() return who:pause() or false end, nil, nil, setmetatable({}, { __close = fn })
end

-- Returns no second value when it is nil, since print would show it.
local function given(value, detail)
  if detail == nil then return value end
  return value, detail
end

-- Waits until condition() returns a value that is not nil, and returns what it returned; or nil,
-- "timeout" after so many seconds, or nil, "closed" when nothing is left that could happen. who:
-- the waiter. ws: the client that the condition depends on, or nil. seconds: nil for ever.
local function wait_for(who, ws, seconds, condition)
  local value, detail = condition()
  if value ~= nil or detail ~= nil then return given(value, detail) end

  local timed_out = false
  local timer = seconds and core.after(seconds, function()
    timed_out = true
    who:wake()
  end)
  if ws then watch(ws, who) end
  local function clean_up()
    if timer then timer:cancel() end
    if ws then unwatch(ws, who) end
    if who.paused then tasks[who] = nil end -- closed by coroutine.close while it waited
  end

  for left in pauses(who, clean_up) do
    value, detail = condition()
    if value ~= nil or detail ~= nil then return given(value, detail) end
    if timed_out or not left then break end
  end
  return nil, timed_out and "timeout" or "closed"
end

-- Raises unless ws is a client. Each method in this file calls it; the methods in C do it
-- themselves.
local function check_client(ws, name)
  if internal.is_client(ws) then return end
  error(("bad argument #1 to '%s' (steadysocket.client expected, got %s)"):format(
    name, type(ws)), 3)
end

local MAX_SECONDS = 1e9 -- 31 years; a longer time to wait means for ever

-- Returns the seconds to wait, or nil for ever. Raises for anything that is no time.
local function check_seconds(seconds, index, name)
  if seconds == nil then return nil end
  if not (type(seconds) == "number" and seconds >= 0) then
    error(("bad argument #%d to '%s' (seconds, 0 or more, expected)"):format(index, name), 3)
  end
  return seconds <= MAX_SECONDS and seconds or nil
end

-- Whether the client has this status, and its handlers have been told of it.
local function has_reached(ws, status)
  return ws.status == status and internal.settled(ws)
end

local function at_rest(ws)
  return has_reached(ws, "closed") or has_reached(ws, "idle")
end

-- All calls below raise where it is not possible to wait, as in a handler. Times are seconds, 0 or
-- more; nil is for ever.

--- ws:receive([timeout]) -> data, kind ("text", "binary") | nil, "timeout" | nil, "closed". Raises
--- when the client has an on_message.
function methods.receive(ws, timeout)
  check_client(ws, "receive")
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
  check_client(ws, "messages")
  return function() return ws:receive() end
end

local statuses = {}
for _, status in ipairs { "idle", "connecting", "open", "waiting", "closing", "closed" } do
  statuses[status] = true
end

--- ws:wait([status [, timeout]]) -> true | nil, "timeout" | nil, "closed". Without a
--- status it is "open". Raises for a status that does not exist.
function methods.wait(ws, status, timeout)
  check_client(ws, "wait")
  status = status or "open"
  timeout = check_seconds(timeout, 2, "wait")
  if not statuses[status] then
    error(("bad argument #1 to 'wait' (no status: '%s')"):format(internal.shown(status)), 2)
  end
  return wait_for(waiter "wait", ws, timeout, function()
    if has_reached(ws, status) then return true end
    if has_reached(ws, "closed") then return nil, "closed" end
  end)
end

--- ws:flush([timeout]) -> true | nil, "timeout" | nil, "closed"
function methods.flush(ws, timeout)
  check_client(ws, "flush")
  timeout = check_seconds(timeout, 1, "flush")
  return wait_for(waiter "flush", ws, timeout, function()
    if ws.queued == 0 and ws.unconfirmed == 0 then return true end
    if at_rest(ws) then return nil, "closed" end
  end)
end

--- WebSocket.sleep(seconds). Raises without seconds.
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

--- Lets another event loop run ours; for steadysocket.luv and the other adapters. `loop` has
--   name      the other loop's name, for messages
--   wake()    is called when a function of the module, called outside of our loop, has given it
--             something to do: a turn has to follow soon
--   waiter()  optional: returns the waiter for the coroutine that is running, or nil when it cannot
--             wait. Its pause() returns true
-- Returns the function that makes one turn, without waiting. That function returns whether anything
-- is left that can happen by itself (for tasks that nothing can wake, the other loop need not go
-- on), and the seconds until the next turn at the latest (nil: none is due). A turn is also due as
-- soon as WebSocket.fd() is readable. It raises what handlers raise.
function internal.attach(loop)
  if host then error(("attach: %s runs the loop already"):format(host.name), 3) end
  if internal.running() then error("attach: not inside a handler", 3) end
  host = loop
  internal.on_work(loop.wake)
  core.run, core.step = refuse "run", refuse "step"
  return function()
    step(0)
    return not internal.at_rest(), timeout()
  end
end

--- Ends that: from now on `run` and `step` run the loop again.
function internal.detach()
  host = nil
  internal.on_work(nil)
  core.run, core.step = run, step
end

core.internal = nil
package.loaded["steadysocket.internal"] = internal -- for the other modules of this directory
return core
