--- Completes the module: the core, in C, has clients, timers and the loop. This file adds the calls
--- that wait: in a task they yield, outside of the loop they run it.

require "steadysocket.loader"
local core = require "steadysocket.core"
local internal = core.internal -- this table is for the files of this directory only
require "steadysocket.tasks.host"
local task = require "steadysocket.tasks.task"
local waiting = require "steadysocket.tasks.waiting"

task.register_source()

local methods = internal.methods
local waiter, wait_for = waiting.waiter, waiting.wait_for

-- Raises an error unless ws is a client. Each method in this file calls this function; the methods
-- in C check that themselves.
local function check_client(ws, name)
  if internal.is_client(ws) then return end
  error(("bad argument #1 to '%s' (steadysocket.client expected, got %s)"):format(
    name, type(ws)), 3)
end

local MAX_SECONDS = 1e9 -- 31 years; to wait for longer means to wait for ever

-- Returns the seconds to wait, or nil for ever. Raises for a value that is not a time.
local function check_seconds(seconds, index, name)
  if seconds == nil then return nil end
  if not (type(seconds) == "number" and seconds >= 0) then
    error(("bad argument #%d to '%s' (seconds, 0 or more, expected)"):format(index, name), 3)
  end
  return seconds <= MAX_SECONDS and seconds or nil
end

-- Returns whether the client has this status, and its handlers have been called for it.
local function has_reached(ws, status)
  return ws.status == status and internal.settled(ws)
end

local function at_rest(ws)
  return has_reached(ws, "closed") or has_reached(ws, "idle")
end

-- All calls below raise in code that cannot wait, such as a handler. Times are seconds, 0 or more;
-- nil means for ever.

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

--- ws:wait([status [, timeout]]) -> true | nil, "timeout" | nil, "closed". The default status is
--- "open". Raises for a status that does not exist.
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
    if ws.queued == 0 and ws.unconfirmed == 0 and ws.buffered_amount == 0 then return true end
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

core.internal = nil
package.loaded["steadysocket.internal"] = internal -- for the other modules of this directory
return core
