-- What the drivers in Lua share; driver.h says what a driver is.
local driver = {
  mode = arg[1],
  url = arg[2],
  size = math.tointeger(arg[3]),
  count = math.tointeger(arg[4]),
  hold_url = os.getenv "BENCH_HOLD_URL",
  idle = math.tointeger(os.getenv "BENCH_IDLE" or "0"),
  ca = os.getenv "BENCH_CA",
  proxy = os.getenv "BENCH_PROXY",
  warm_url = os.getenv "BENCH_WARM_URL",
  deflate = os.getenv "BENCH_DEFLATE" == "1",
  confirm = os.getenv "BENCH_CONFIRM" == "1",
  HANDSHAKES = 64,
  BUSY = 100,
}

local clock, began, cpu, resident

local function resident_memory()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s+(%d+)"
    if kib then return math.tointeger(kib) end
  end
  return 0
end

--- now: the function that tells the wall-clock time, which Lua itself has not.
function driver.clock(now)
  clock = now
  resident, cpu, began = resident_memory(), os.clock(), now()
end

function driver.done()
  local seconds, used = clock() - began, os.clock() - cpu
  io.write(('{"seconds": %.6f, "cpu": %.6f, "kib": %d}\n')
    :format(seconds, used, resident_memory() - resident))
  io.stdout:flush()
  os.exit(true, false)
end

function driver.opened(seconds)
  io.write(('{"opened": [%s]}\n'):format(table.concat(seconds, ", ")))
  io.stdout:flush()
  os.exit(true, false)
end

function driver.fail(message)
  io.stderr:write(arg[0], ": ", tostring(message), "\n")
  os.exit(false)
end

--- The messages to send, one behind the other and over again.
function driver.texts()
  local path = os.getenv "BENCH_TEXTS"
  if not path then return { ("x"):rep(driver.size) } end
  local texts = {}
  for line in io.lines(path) do texts[#texts + 1] = line end
  return texts
end

function driver.check(data)
  if #data ~= driver.size then driver.fail "a message of the wrong size" end
end

function driver.expect_end(data)
  if data ~= "end" then driver.fail("the server says: " .. tostring(data)) end
end

return driver
