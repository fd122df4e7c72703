--- Lets another event loop run ours.

require "steadysocket.loader"
local core = require "steadysocket.core"
local internal = require "steadysocket.internal"

local host = {} -- its member `loop` is the argument of internal.attach, or nil

local run, step, timeout = core.run, core.step, core.timeout

local function refuse(name)
  return function()
    error(("%s: %s runs the loop; run that one, or detach it"):format(name, host.loop.name), 2)
  end
end

--- Lets another event loop run ours, for steadysocket.luv and the other adapters. `loop` has
--   name      the other loop's name, for messages
--   wake()    is called when a function of the module, called outside of our loop, has given it
--             something to do, so that a turn has to follow soon
--   waiter()  may be missing; returns the waiter for the coroutine that is running, or nil when it
--             cannot wait; the waiter's pause() returns true
-- Returns a function that makes one turn, without waiting, and that raises the errors of handlers.
-- That function returns whether anything is left that can happen by itself; tasks that nothing can
-- wake do not count, since the other loop need not go on for them. Its second result is the seconds
-- until the next turn at the latest, or nil when no turn is due. A turn is also due as soon as
-- WebSocket.fd() is readable.
function internal.attach(loop)
  if host.loop then error(("attach: %s runs the loop already"):format(host.loop.name), 3) end
  if internal.running() then error("attach: not inside a handler", 3) end
  host.loop = loop
  internal.on_work(loop.wake)
  core.run, core.step = refuse "run", refuse "step"
  return function()
    step(0)
    return not internal.at_rest(), timeout()
  end
end

--- Detaches the other loop: from now on `run` and `step` run our loop again.
function internal.detach()
  host.loop = nil
  internal.on_work(nil)
  core.run, core.step = run, step
end

return host
