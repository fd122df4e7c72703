-- A storm, for real: many clients in one process, whose server is killed and started again.
--
--     storm.lua [--clients 1000] [--outage 3]
--               [--min-delay S] [--max-delay S] [--factor F] [--jitter J]
--
-- The server is the specs' (Python's websockets, one process) on a port of the loopback address. It
-- is killed at 0 and started again `outage` seconds later, which takes it some tenths of a second.
-- Prints what bench/storm.c prints of its simulated one, and `up`, when the server listened again.
-- bench/storm.py runs it, and sees to it that enough files may be open.
local WebSocket = require "steadysocket"
local Server = require "support.server"
local socket = require "socket"

local LIMIT = 60 -- seconds for what has to come

local options = { clients = 1000, outage = 3 }
local NUMBERS = { clients = 1, outage = 0, min_delay = 0, max_delay = 0, factor = 1, jitter = 0 }

for i = 1, #arg, 2 do
  local name = arg[i]:gsub("^%-%-", ""):gsub("-", "_")
  local value = tonumber(arg[i + 1])
  if not NUMBERS[name] or not value or value < NUMBERS[name] then
    error(("what is %s %s?"):format(arg[i], arg[i + 1] or ""), 0)
  end
  options[name] = value
end

--------------------------------------------------------------------------------------- the clients

local attempts, opens = {}, {} -- the times of all since the server was killed
local open = 0

local function on_status(status, old)
  if status == "connecting" then
    attempts[#attempts + 1] = socket.gettime()
  elseif status == "open" then
    opens[#opens + 1] = socket.gettime()
    open = open + 1
  elseif old == "open" then
    open = open - 1
  end
end

local function make(url, name)
  return WebSocket.new {
    url = url,
    name = name,
    on_status = on_status,
    reconnect = {
      min_delay = options.min_delay,
      max_delay = options.max_delay,
      factor = options.factor,
      jitter = options.jitter,
      min_uptime = 0, -- so that the server need not stay up for long before it is killed
    },
  }
end

local function step_until(condition, what)
  local deadline = socket.gettime() + LIMIT
  while not condition() do
    if socket.gettime() > deadline then
      error(("%s: not within %d s; %d are open"):format(what, LIMIT, open), 0)
    end
    WebSocket.step(0.002)
  end
end

---------------------------------------------------------------------------------------- the server

-- A free port that no client gets as its own while the server is down: systems give those out from
-- 32768 up.
local function find_port()
  for _ = 1, 100 do
    local port = math.random(20000, 32000)
    local listener = socket.bind("127.0.0.1", port)
    if listener then
      listener:close()
      return port
    end
  end
  error "no free port"
end

--------------------------------------------------------------------------------- what came of it

-- As in bench/storm.c: of each second that begins with a tenth of one.
local function most(times, first)
  local tenths, last, in_tenth, in_second = {}, 0, 0, 0
  for _, time in ipairs(times) do
    local tenth = (time - first) * 10 // 1
    tenths[tenth] = (tenths[tenth] or 0) + 1
    last = math.max(last, tenth)
  end
  for tenth = 0, last do
    local sum = 0
    for i = tenth, tenth + 9 do sum = sum + (tenths[i] or 0) end
    in_tenth = math.max(in_tenth, tenths[tenth] or 0)
    in_second = math.max(in_second, sum)
  end
  return in_second, in_tenth
end

local function report_attempts(suffix, times, first)
  local in_second, in_tenth = most(times, first)
  print(("attempts%s %d"):format(suffix, #times))
  print(("most_in_a_second%s %d"):format(suffix, in_second))
  print(("most_in_a_tenth%s %d"):format(suffix, in_tenth))
end

local function report(down, up)
  print(("up %.3f"):format(up - down))
  report_attempts("", attempts, down)
  local later = {}
  for _, time in ipairs(attempts) do
    if time >= up then later[#later + 1] = time end
  end
  report_attempts("_while_up", later, up)
  for _, share in ipairs { 50, 99, 100 } do
    print(("back_%d %.3f"):format(share, opens[math.ceil(share / 100 * options.clients)] - up))
  end
end

----------------------------------------------------------------------------------------- the storm

local port = find_port()
local server = Server.start { port = port }
local clients = {}
for i = 1, options.clients do
  clients[i] = make(server:url(), "client " .. i)
  clients[i]:connect()
  if i % 50 == 0 then -- a storm of first connections is not what is measured
    step_until(function() return open == i end, "connecting")
  end
end
step_until(function() return open == options.clients end, "connecting")

attempts, opens = {}, {}
local down = socket.gettime()
server:kill()
step_until(function() return socket.gettime() - down >= options.outage end, "the outage")
server = Server.start { port = port }
local up = socket.gettime()
step_until(function() return open == options.clients end, "coming back")
report(down, up)

for _, ws in ipairs(clients) do ws:close() end
WebSocket.run()
server:stop()
