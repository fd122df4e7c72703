-- How long something takes: for bounds that hold on a loaded machine, too.

local socket = require "socket"

local stopwatch = {}

-- Seconds that this process was ready to run, and another one ran instead. Linux counts them.
local function waited()
  local file <close> = io.open "/proc/self/schedstat"
  local nanoseconds = file and file:read "a":match "^%d+ (%d+)"
  return (tonumber(nanoseconds) or 0) / 1e9
end

--- Returns a function that returns two times in seconds: what has passed, to compare with what must
--- not be less; and what has passed without the time that others had the processor, to compare with
--- what must not be more.
function stopwatch.start()
  local start, waited_before = socket.gettime(), waited()
  return function()
    local passed = socket.gettime() - start
    return passed, passed - (waited() - waited_before)
  end
end

--- Calls a function with arguments. Returns both times, and what the function returned.
function stopwatch.time(fn, ...)
  local watch = stopwatch.start()
  local result = fn(...)
  local passed, own = watch()
  return passed, own, result
end

return stopwatch
