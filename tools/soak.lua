-- A soak: many clients with confirm = true, whose server is killed again and again. In the end all
-- messages have arrived, at least once and in order, memory and descriptors have not grown from the
-- first third of the time to its end, and no descriptor is left behind the clients.
--
--   make soak SECONDS=300        CLIENTS=200

package.path = "spec/?.lua;" .. package.path

local Server = require "support.server"
local WebSocket = require "steadysocket"
local turn = require "support.turn"

local seconds, count = tonumber(arg[1]) or 30, tonumber(arg[2]) or 200

-- Resident memory in KiB, as the kernel counts it.
local function memory()
  collectgarbage()
  collectgarbage()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s+(%d+)"
    if kib then return tonumber(kib) end
  end
end

local function descriptors()
  local pipe <close> = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  return pipe:read "n"
end

local failed = false
local function check(fine, ...)
  if fine then return end
  failed = true
  print("FAILED: " .. string.format(...))
end

local record = os.tmpname()
local server = Server.start()
local port = server.port
local path = "/echo?file=" .. record

local clients, sent = {}, {}
local before = descriptors()
for i = 1, count do
  sent[i] = 0
  clients[i] = WebSocket.new {
    url = server:url(path),
    name = "soak-" .. i,
    confirm = true,
    reconnect = { min_delay = 0.05, max_delay = 0.5 },
    heartbeat = { interval = 1, timeout = 2 },
    on_message = function() end,
  }
  clients[i]:connect()
end

local sender = WebSocket.every(0.02, function()
  for _ = 1, count // 10 do
    local i = math.random(count)
    sent[i] = sent[i] + 1
    assert(clients[i]:send(("%d %d"):format(i, sent[i])))
  end
end)

local function await(status)
  turn.till(function()
    for _, ws in ipairs(clients) do
      if ws.status ~= status then return false end
    end
    return true
  end, "all clients to be " .. status, 30)
end

-- While all clients are open, which makes the figures comparable.
local function measure()
  await "open"
  return { memory = memory(), descriptors = descriptors() }
end

local kills, early = 0, nil
local started = os.time()
while os.time() - started < seconds do
  await "open"
  local lives = WebSocket.after(0.2 + math.random(), WebSocket.stop)
  WebSocket.run()
  lives:cancel()
  server:kill()
  kills = kills + 1
  server = Server.start { port = port }
  if not early and os.time() - started >= seconds / 3 then early = measure() end
end
early = early or measure()

sender:cancel()
for _, ws in ipairs(clients) do check(ws:flush(30), "%s did not flush", ws.name) end
local late = measure()
local total, twice = 0, 0
local next_one = {}
for line in io.lines(record) do
  local i, number = line:match "^(%d+) (%d+)$"
  i, number = tonumber(i), tonumber(number)
  local expected = next_one[i] or 1
  check(number <= expected, "client %d: %d came before %d", i, number, expected)
  if number == expected then next_one[i] = expected + 1 else twice = twice + 1 end
end
for i = 1, count do
  total = total + sent[i]
  local arrived = (next_one[i] or 1) - 1
  check(arrived == sent[i], "client %d: %d of %d arrived", i, arrived, sent[i])
end
os.remove(record)

for _, ws in ipairs(clients) do ws:close() end
await "closed"
WebSocket.step(0)
local after = descriptors()
-- What the loop and libwebsockets keep for the next connection.
check(after - before <= 6, "%d descriptors are left", after - before)
check(late.descriptors == early.descriptors, "descriptors have grown from %d to %d",
  early.descriptors, late.descriptors)
check(late.memory < early.memory * 1.15 + 1024, "memory has grown from %d to %d KiB",
  early.memory, late.memory)
print(("%d clients, %d kills in %d s: %d messages, %d of them twice; %d KiB, then %d KiB; "
  .. "%d descriptors, then %d, and %d without clients"):format(count, kills, os.time() - started,
  total, twice, early.memory, late.memory, early.descriptors, late.descriptors, after))
Server.stop_all()
os.exit(not failed, true)
