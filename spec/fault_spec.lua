-- A bad line between a client and a server: two network namespaces with a cable between them, and the
-- kernel's emulator of loss and delay. Needs root, iproute2, and netem in the kernel; what is not
-- there makes its specs step aside.

local child = require "support.child"
local turn = require "support.turn"

local HERE, THERE = "10.199.77.1", "10.199.77.2"

local function run(command, ...)
  return (os.execute(("{ %s; } > /dev/null 2>&1"):format(command:format(...))))
end

-- The namespaces are named after this process, so that runs beside each other have their own.
local function make_net()
  local pipe <close> = io.popen "echo $PPID"
  local id = pipe:read "n"
  local net = { here = "steady-here-" .. id, there = "steady-there-" .. id }
  local made = run([[
    ip netns add %s && ip netns add %s &&
    ip -n %s link add cable type veth peer name cable netns %s &&
    ip -n %s addr add %s/30 dev cable && ip -n %s addr add %s/30 dev cable &&
    ip -n %s link set cable up && ip -n %s link set cable up &&
    ip -n %s link set lo up && ip -n %s link set lo up]],
    net.here, net.there, net.here, net.there, net.here, HERE, net.there, THERE,
    net.here, net.there, net.here, net.there)
  return made and net, net
end

local function remove_net(net)
  run("ip netns del %s", net.here)
  run("ip netns del %s", net.there)
end

-- Sends numbered messages with confirm = true while the line is as the arguments say, and ends when
-- all of them are confirmed. bad, good: commands that make the line so, run once a quarter of the
-- messages has been echoed, and once the connection is lost (or at once).
local CLIENT = [[
local WebSocket = require "steadysocket"
local url, count, bad, good = arg[1], tonumber(arg[2]), arg[3], arg[4]
local sent, echoes, losses, done = 0, 0, {}, false

local function mend()
  if done then return end
  done = true
  if good ~= "" then assert(os.execute(good)) end
end

local ws = WebSocket.new {
  url = url,
  confirm = true,
  heartbeat = { interval = 0.5, timeout = 0.5 },
  connect_timeout = 1,
  reconnect = { min_delay = 0.05, max_delay = 0.2 },
  on_message = function()
    echoes = echoes + 1
    if echoes == count // 4 and bad ~= "" then assert(os.execute(bad)) end
  end,
  on_error = function(event) losses[event.kind] = true end,
  on_close = function(event)
    if event.will_reconnect then mend() end
  end,
}
ws:connect()
WebSocket.spawn(function()
  while sent < count do
    sent = sent + 1
    assert(ws:send(tostring(sent)))
    if sent % 20 == 0 then WebSocket.sleep(0.01) end
  end
  print(ws:flush(60), ws.unconfirmed, ws:stats().connections > 1, losses.heartbeat)
  ws:close()
  ws:wait("closed", 5)
  WebSocket.stop()
end)
WebSocket.run()
]]

local function read_numbers(path)
  local numbers = {}
  for line in io.lines(path) do numbers[#numbers + 1] = tonumber(line) end
  return numbers
end

-- Each number once at least, and the first time in order.
local function check_delivery(path, count)
  local next_one = 1
  for _, number in ipairs(read_numbers(path)) do
    assert(number <= next_one, ("%d came before %d"):format(number, next_one))
    if number == next_one then next_one = next_one + 1 end
  end
  assert.equal(count + 1, next_one)
end

describe("Over a bad line", function()
  local permitted, net, server, folder, announcement

  setup(function()
    permitted, net = make_net()
    if not permitted then return end
    local pipe <close> = io.popen "mktemp -d /tmp/steadysocket-fault.XXXXXX"
    folder = pipe:read "l"
    announcement = folder .. "/port"
    server = io.popen(("exec ip netns exec %s /usr/bin/python3 spec/support/server.py %s --address %s")
      :format(net.there, announcement, THERE), "w")
    turn.till(function()
      local file <close> = io.open(announcement)
      return file and file:read "n"
    end, "the server to start", 10)
  end)

  teardown(function()
    if server then server:close() end
    remove_net(net)
    if folder then os.execute("rm -rf " .. folder) end
  end)

  local function url(record)
    local file <close> = io.open(announcement)
    return ("ws://%s:%d/echo?file=%s"):format(THERE, file:read "n", record)
  end

  local function faulty(name, count, commands, expected)
    it(name, function()
      if not permitted then
        pending "network namespaces are not permitted here"
        return
      end
      local record = folder .. "/" .. name:gsub("%W", "-")
      local function on_cable(command)
        return command and ("ip netns exec %s %s"):format(net.there, command) or ""
      end
      if commands.first and not run("%s", on_cable(commands.first)) then
        pending "this kernel has no netem"
        return
      end
      local arguments = { url(record), tostring(count), on_cable(commands.bad), on_cable(commands.good) }
      local result = child.run(CLIENT, arguments,
        { under = "ip netns exec " .. net.here })
      run("%s", on_cable "tc qdisc del dev cable root")
      assert.equal("", result.err)
      assert.equal(expected, result.out)
      check_delivery(record, count)
    end)
  end

  faulty("that loses packets and delays them, all arrives, in order, on one connection", 1000,
    { first = "tc qdisc add dev cable root netem delay 10ms 5ms loss 5%" },
    "true\t0\tfalse\tnil\n")

  local to_nobody = "ip neigh replace " .. HERE .. " lladdr 02:00:00:00:00:01 dev cable nud permanent"
  faulty("that swallows what the server says, the silence is noticed and all arrives", 1000,
    { bad = to_nobody, good = "ip neigh del " .. HERE .. " dev cable" },
    "true\t0\ttrue\ttrue\n")

  faulty("that is cut and mended, the silence is noticed and all arrives", 1000,
    { bad = "ip link set cable down", good = "ip link set cable up" },
    "true\t0\ttrue\ttrue\n")
end)
