--- steadysocket inside luv's event loop.
--
--   local uv = require "luv"
--   require("steadysocket.luv").attach()
--   ...                                    -- clients, timers, tasks as usual
--   uv.run()                               -- instead of WebSocket.run()
--
-- uv.run() returns when neither luv nor steadysocket has anything left to do. An error in a handler
-- is luv's, as one in any of its callbacks is: by default luv prints it and ends the process. Calls
-- that wait (ws:receive and so on) do so in tasks only, see WebSocket.spawn.

local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"
local uv = require "luv"

local adapter = {}

local poll, timer, idle -- luv's handles; poll keeps uv.run going, the others never do
local step -- nil: not attached

local turn

-- Has luv call us when the next turn is due: in so many seconds (nil: it has no time).
local function arm(left, seconds)
  timer:stop()
  idle:stop()
  if seconds == 0 then
    idle:start(turn) -- a timer might come again before luv has polled
  elseif seconds then
    uv.update_time()
    timer:start(math.ceil(seconds * 1000), 0, turn)
  end
  if left then poll:ref() else poll:unref() end
end

function turn()
  local ok, left, seconds = pcall(step)
  if step then -- no handler has detached us
    if ok then arm(left, seconds) else arm(true, 0) end
  end
  if not ok then error(left, 0) end
end

--- From now on luv's loop runs ours. Done twice, it is done once. Raises while another loop is
--- attached.
function adapter.attach()
  if step then return end
  step = internal.attach { name = "luv", wake = function() arm(true, 0) end }
  if not poll then
    poll, timer, idle = assert(uv.new_poll(WebSocket.fd())), uv.new_timer(), uv.new_idle()
    timer:unref()
    idle:unref()
  end
  poll:start("r", turn)
  arm(true, 0)
end

--- From now on WebSocket.run() runs our loop again. The handles stay for the next time: luv crashes
--- at the end of a process whose loop has not turned since a handle was closed.
function adapter.detach()
  if not step then return end
  step = nil
  internal.detach()
  poll:stop()
  timer:stop()
  idle:stop()
  poll:unref()
end

return adapter
