--- Tasks: coroutines that the loop resumes.

require "steadysocket.loader"
local core = require "steadysocket.core"
local internal = require "steadysocket.internal"

local exports = {}

local WAIT = {} -- a task that waits yields this value, which no other code has

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

-- Makes the task belong to this process, whose loop will wake it.
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

--- Returns the task that is running, or nil in any other coroutine. `name` is the call in which the
--- task is going to wait.
function exports.current(name)
  if not current or coroutine.running() ~= current.thread then return nil end
  current.waits_in = name
  return current
end

--- Removes a task that was closed by coroutine.close while it waited.
function exports.forget(task)
  tasks[task] = nil
end

----------------------------------------------------------------------------------------------------
-- Tasks that are left over

-- Returns whether the task belongs to this process and has not ended. Otherwise removes it from the
-- list: it is a task of a parent process, or has ended because somebody else has resumed it.
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

-- The keys are the sources of the files in which a task can wait. Each of these files registers
-- itself.
local own_sources = {}

--- Registers the file that calls this function as one in which a task can wait.
function exports.register_source()
  own_sources[debug.getinfo(2, "S").source] = true
end

exports.register_source()

-- Returns the call in which a task waits and the place where the program made it, such as "receive
-- at prog.lua:12".
local function place_of(task)
  local level, info = 0
  repeat
    info = debug.getinfo(task.thread, level, "Sl")
    level = level + 1
  until not info or info.currentline > 0 and not own_sources[info.source]
  local where = info and ("%s:%d"):format(info.short_src, info.currentline) or "a place unknown"
  return ("%s at %s"):format(task.waits_in or "not started", where)
end

local MOST_PLACES = 10 -- a message names at most this many

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

-- The loop asks this function whether a task is left. `name` is "run" or "step" when that call
-- would wait for the task for ever. Then the function raises an error that says where the tasks
-- wait.
internal.on_rest(function(name)
  if not any_left() then return false end
  if not name then return true end
  error(("%s: nothing is left that could wake the tasks that wait in %s; connect their client, let "
    .. "them wait with a timeout, or end them with coroutine.close"):format(name, places()), 3)
end)

return exports
