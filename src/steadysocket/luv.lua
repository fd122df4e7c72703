--- steadysocket inside luv's event loop.
--
--   local uv = require "luv"
--   require("steadysocket.luv").attach()
--   ...                                    -- clients, timers, tasks as usual
--   uv.run()                               -- instead of WebSocket.run()
--
-- uv.run() returns when neither luv nor steadysocket has anything left to do. An error in a handler
-- is treated as one in any callback of luv: by default luv prints it and ends the process. Calls
-- that wait (ws:receive and so on) can be made in tasks only; see WebSocket.spawn.

local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"
local uv = require "luv"

local adapter = {}

local poll, timer, idle -- luv's handles; only poll keeps uv.run from returning
local step -- makes one turn of our loop; nil when it is not attached

local turn

-- Makes luv call `turn` when the next turn is due. `left` says whether work is left, for which
-- uv.run has to go on. `seconds` is the time until the next turn, or nil when none is due.
local function arm(left, seconds)
  timer:stop()
  idle:stop()
  if seconds == 0 then
    idle:start(turn) -- a timer will not do, since luv might call it again before it polls
  elseif seconds then
    uv.update_time()
    timer:start(math.ceil(seconds * 1000), 0, turn)
  end
  if left then poll:ref() else poll:unref() end
end

function turn()
  local ok, left, seconds = pcall(step)
  if step then -- a handler may have detached us
    if ok then arm(left, seconds) else arm(true, 0) end
  end
  if not ok then error(left, 0) end
end

--- From now on luv's loop runs ours. A second call does nothing. Raises while another loop is
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

--- From now on WebSocket.run() runs our loop again. The handles are kept for the next time, since
--- luv crashes at the end of a process when its loop has not turned after a handle was closed.
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
