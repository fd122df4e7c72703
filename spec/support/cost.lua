-- What something costs: time, CPU time, descriptors, memory. A spec that asks only what came out does not
-- see an answer that comes ten times too late.

local socket = require "socket"
local WebSocket = require "steadysocket"

local cost = {}

local PATIENCE = tonumber(os.getenv "SPEC_PATIENCE") or 1

local function count_descriptors()
  local list = io.popen "ls /proc/$PPID/fd 2> /dev/null | wc -l"
  local count = list:read "n"
  list:close()
  return count
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s+(%d+)"
    if kib then return tonumber(kib) end
  end
end

--- Runs fn(...) and returns what that took, { seconds, cpu (seconds of this process), descriptors and
--- kib (more than before) }, and what fn returned.
function cost.of(fn, ...)
  local descriptors, kib = count_descriptors(), resident()
  local start, cpu = socket.gettime(), os.clock()
  local results = table.pack(fn(...))
  local spent = { seconds = socket.gettime() - start, cpu = os.clock() - cpu }
  spent.descriptors = count_descriptors() - descriptors
  spent.kib = resident() - kib
  return spent, table.unpack(results, 1, results.n)
end

--- Fails unless so many seconds went by, more or less: at_least and at_most are seconds, and a machine that
--- is slow by SPEC_PATIENCE may take longer.
function cost.expect(spent, at_least, at_most)
  assert(spent >= at_least, ("%.3f s, at least %g s expected"):format(spent, at_least))
  assert(spent <= at_most * PATIENCE, ("%.3f s, at most %g s expected"):format(spent, at_most))
end

--- Runs fn(...) and returns the CPU time, in seconds, of the longest turn of the loop meanwhile.
function cost.longest_turn(fn, ...)
  local step, longest = WebSocket.step, 0
  WebSocket.step = function(timeout)
    local before = os.clock()
    local more = step(timeout)
    longest = math.max(longest, os.clock() - before)
    return more
  end
  local ok, problem = pcall(fn, ...)
  WebSocket.step = step
  if not ok then error(problem, 0) end
  return longest
end

return cost
