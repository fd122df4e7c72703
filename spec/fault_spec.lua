-- A bad line between a client and a server, each in a network namespace of its own: a cable that is
-- cut, and a line that loses and delays packets (support/bad_line.py, which needs no netem). Needs
-- root, iproute2 and TUN devices; what is not there makes its specs step aside.

local child = require "support.child"
local turn = require "support.turn"

local HERE, THERE = "10.199.77.1", "10.199.77.2" -- the cable's ends
local BAD_HERE, BAD_THERE = "10.199.78.1", "10.199.78.2" -- the bad line's

-- Without a sanitizer, which would not like what ip leaks.
local function run(command, ...)
  return (os.execute(("{ export LD_PRELOAD=; %s; } > /dev/null 2>&1"):format(command:format(...))))
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
-- messages has been echoed, and once the connection is lost, for which the last quarter waits.
-- patience: seconds for all that has limits.
local CLIENT = [[
local WebSocket = require "steadysocket"
local url, count, patience, bad, good = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4], arg[5]
local sent, echoes, losses, done = 0, 0, {}, false

local function mend()
  if done then return end
  done = true
  assert(os.execute(good))
end

local ws = WebSocket.new {
  url = url,
  confirm = true,
  heartbeat = { interval = patience, timeout = patience },
  connect_timeout = 2 * patience,
  reconnect = { min_delay = 0.05, max_delay = 0.2 },
  on_message = function()
    echoes = echoes + 1
    if echoes == count // 4 then assert(os.execute(bad)) end
  end,
  on_error = function(event) losses[event.kind] = true end,
  on_close = function(event)
    if event.will_reconnect then mend() end
  end,
}
ws:connect()
WebSocket.spawn(function()
  while sent < count do
    while sent == count * 3 // 4 and not done do WebSocket.sleep(0.01) end
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
  local permitted, net, server, port, line, folder

  local function number_in(name)
    local file <close> = io.open(folder .. "/" .. name)
    return file and file:read "n"
  end

  setup(function()
    permitted, net = make_net()
    if not permitted then return end
    local pipe <close> = io.popen "mktemp -d /tmp/steadysocket-fault.XXXXXX"
    folder = pipe:read "l"
    server = io.popen(
      ("LD_PRELOAD= exec ip netns exec %s /usr/bin/python3 spec/support/server.py %s/port --address 0.0.0.0")
        :format(net.there, folder), "w")
    port = turn.till(function() return number_in "port" end, "the server to start", 10)
  end)

  teardown(function()
    if line then line:close() end
    if server then server:close() end
    remove_net(net)
    if folder then os.execute("rm -rf " .. folder) end
  end)

  -- Each time into another file: what an old connection still brings is no part of it.
  local function carries(address, count, patience, bad, good)
    local record = ("%s/%s-%g"):format(folder, address, os.clock())
    local url = ("ws://%s:%d/echo?file=%s"):format(address, port, record)
    local arguments = { url, tostring(count), tostring(patience), bad, good }
    local result = child.run(CLIENT, arguments, { under = "ip netns exec " .. net.here })
    assert.equal("", result.err)
    assert.equal("true\t0\ttrue\ttrue\n", result.out)
    check_delivery(record, count)
  end

  local function on_cable(command)
    return ("LD_PRELOAD= ip netns exec %s %s"):format(net.there, command)
  end

  local function faulty(name, fn)
    it(name, function()
      if not permitted then
        pending(child.has "ip" and "network namespaces are not permitted here" or "iproute2 is not there")
        return
      end
      fn()
    end)
  end

  faulty("that loses a fifth of all packets, delays the others and then swallows all, "
    .. "the silence is noticed and all arrives", function()
    if not run "test -c /dev/net/tun" then
      pending "there are no TUN devices here"
      return
    end
    line = io.popen(("LD_PRELOAD= exec /usr/bin/python3 spec/support/bad_line.py %s/line %s %s %s %s "
      .. "--loss 0.2 --delay 0.05 --jitter 0.03"):format(folder, net.here, net.there, BAD_HERE, BAD_THERE), "w")
    local pid = turn.till(function() return number_in "line" end, "the line to be up", 10)
    carries(BAD_THERE, 400, 0.7, "kill -USR1 " .. pid, "kill -USR2 " .. pid)
  end)

  faulty("that swallows what the server says, the silence is noticed and all arrives", function()
    carries(THERE, 1000, 0.5,
      on_cable("ip neigh replace " .. HERE .. " lladdr 02:00:00:00:00:01 dev cable nud permanent"),
      on_cable("ip neigh del " .. HERE .. " dev cable"))
  end)

  faulty("that is cut and mended, the silence is noticed and all arrives", function()
    carries(THERE, 1000, 0.5, on_cable "ip link set cable down", on_cable "ip link set cable up")
  end)
end)
