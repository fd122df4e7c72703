--- Carries out the calls that wait. A waiter is a task, the program outside of the loop, or a
-- coroutine of another event loop. Its pause() returns when wake() has been called, or sooner, and
-- returns false when nothing is left that could happen.

require "steadysocket.loader"
local core = require "steadysocket.core"
local host = require "steadysocket.tasks.host"
local internal = require "steadysocket.internal"
local task = require "steadysocket.tasks.task"

task.register_source()

local waiting = {}

local outside = {
  pause = function() return not internal.at_rest() and core.step() end,
  wake = function() end,
}

-- Returns the waiter for the code that is running. `name` is the call that wants to wait.
function waiting.waiter(name)
  local current = task.current(name)
  if current then return current end
  if internal.running() then
    error(name .. ": a handler, or a coroutine inside a task, cannot wait; do it in a task of its "
      .. "own (WebSocket.spawn)", 3)
  end
  local other = host.loop
  if not other then return outside end
  return other.waiter and other.waiter()
    or error(("%s: %s runs the loop; wait in a task (WebSocket.spawn)"):format(name, other.name), 3)
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

-- Each client's list of the waiters that wait for it, in the order in which they came. While a
-- client has such a list, the core calls a function after each delivery to the client.
local lists = setmetatable({}, { __mode = "k" })

local function watch(ws, who)
  if not lists[ws] then
    local list = {}
    lists[ws] = list
    internal.watch(ws, function() wake_from(table.move(list, 1, #list, 1, {}), 1) end)
  end
  table.insert(lists[ws], who)
end

local function unwatch(ws, who)
  local list = lists[ws]
  for i, each in ipairs(list) do
    if each == who then
      table.remove(list, i)
      break
    end
  end
  if #list == 0 then
    lists[ws] = nil
    internal.watch(ws, nil)
  end
end

-- Is used as `for left in pauses(who, fn) do ... end`. The waiter pauses before each turn, and
-- `left` is false when nothing is left that could happen. However the loop ends, Lua 5.4 calls fn
-- then, since a loop's fourth value is closed like a variable with <close>, which other Luas could
-- not even parse.
local function pauses(who, fn)
  return function() return who:pause() or false end, nil, nil, setmetatable({}, { __close = fn })
end

-- Returns both values, or only the first when the second is nil, since print would show a second
-- nil.
local function given(value, detail)
  if detail == nil then return value end
  return value, detail
end

-- Waits until condition() returns a value that is not nil, and returns what it returned. Returns
-- nil and "timeout" after `seconds`, which is nil for ever, or nil and "closed" when nothing is
-- left that could happen. `who` is the waiter. `ws` is the client that the condition depends on, or
-- nil.
function waiting.wait_for(who, ws, seconds, condition)
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
    if who.paused then task.forget(who) end -- it was closed while it waited
  end

  for left in pauses(who, clean_up) do
    value, detail = condition()
    if value ~= nil or detail ~= nil then return given(value, detail) end
    if timed_out or not left then break end
  end
  return nil, timed_out and "timeout" or "closed"
end

return waiting
