--- steadysocket inside a cqueues controller.
--
--   local cqueues = require "cqueues"
--   local cq = cqueues.new()
--   require("steadysocket.cqueues").attach(cq)
--   ...                                    -- clients, timers, tasks as usual
--   assert(cq:loop())                      -- instead of WebSocket.run()
--
-- Calls that wait (ws:receive, ws:messages, ws:wait, ws:flush, WebSocket.sleep) may be made in any
-- coroutine of a controller, not only in tasks; the other coroutines go on meanwhile. cq:loop()
-- returns when nothing is left to do. It also returns an error in a handler, and goes on when it is
-- called again.

local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"

local adapter = {}

-- A table { controller, step, changed, serving }. `changed` is a condition, and `serving` says
-- whether a coroutine runs our loop.
local attachment

-- The function of the controller's coroutine that runs our loop while there is work.
local function serve(self)
  local readable = { pollfd = WebSocket.fd(), events = "r" }
  while self == attachment do
    local ok, left, seconds = pcall(self.step)
    if not ok then
      self.controller:wrap(serve, self) -- a new coroutine, since the error ends this one
      error(left, 0)
    end
    if not left or self ~= attachment then break end -- a handler may have detached us
    cqueues.poll(readable, self.changed, seconds)
  end
  self.serving = false
end

local function wake()
  if attachment.serving then
    attachment.changed:signal()
  else
    attachment.serving = true
    attachment.controller:wrap(serve, attachment)
  end
end

-- Returns the waiter for the coroutine that is running, or nil when no controller runs it.
local function waiter()
  local _, inside = cqueues.running()
  if not inside then return nil end
  local awake = condition.new()
  return {
    pause = function()
      awake:wait()
      return true
    end,
    wake = function() awake:signal() end,
  }
end

--- From now on this controller (by default the one that runs the caller) runs our loop. Raises for
--- any value that is not a controller, and while another loop is attached.
function adapter.attach(controller)
  controller = controller or cqueues.running() or error("attach: which controller?", 2)
  if cqueues.type(controller) ~= "controller" then
    error(("bad argument #1 to 'attach' (controller expected, got %s)"):format(type(controller)), 2)
  end
  if attachment and attachment.controller == controller then return end
  local step = internal.attach { name = "cqueues", wake = wake, waiter = waiter }
  attachment = { controller = controller, step = step, changed = condition.new() }
  wake()
end

--- From now on WebSocket.run() runs our loop again.
function adapter.detach()
  if not attachment then return end
  internal.detach()
  attachment.changed:signal()
  attachment = nil
end

return adapter
