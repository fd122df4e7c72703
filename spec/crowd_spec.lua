-- Very many clients in one loop.

local built = require "support.built"
local child = require "support.child"
local cost = require "support.cost"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"
local WebSocket = require "steadysocket"

local MOST = 128 -- attempts of a loop that are under way at a time

-- A server that accepts connections, reads their requests, and says nothing. `paths` are those of the
-- requests, in the order in which they came; `open` is how many connections there are.
local function silent_server()
  local listener = assert(socket.tcp4())
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(1024))
  listener:settimeout(0)
  local server = { paths = {}, open = 0, most = 0 }
  local connections = {}
  server.port = select(2, listener:getsockname())

  local function read(connection)
    local line, problem, rest = connection.socket:receive("*l", connection.rest)
    connection.rest = rest
    if problem == "closed" then
      connections[connection] = nil
      server.open = server.open - 1
      connection.socket:close()
    elseif line and not connection.path then
      connection.path = tonumber(line:match "^GET /(%d+)")
      server.paths[#server.paths + 1] = connection.path
    end
  end

  function server.turn()
    local order = {}
    for connection in pairs(connections) do order[#order + 1] = connection end
    table.sort(order, function(a, b) return a.number < b.number end)
    for _, connection in ipairs(order) do read(connection) end
    repeat
      local accepted = listener:accept()
      if accepted then
        accepted:settimeout(0)
        server.accepted = (server.accepted or 0) + 1
        connections[{ socket = accepted, number = server.accepted }] = true
        server.open = server.open + 1
        server.most = math.max(server.most, server.open)
      end
    until not accepted
  end

  function server.close()
    listener:close()
    for connection in pairs(connections) do connection.socket:close() end
  end

  turn.along(server.turn)
  return server
end

describe("many clients at once", function()
  local server
  before_each(function() server = silent_server() end)
  after_each(function()
    watched.end_all()
    server.close()
  end)

  -- Clients 1 to `count`, whose attempts go to paths of that number. begun[i], failed[i]: when. order: theirs, as
  -- they began; their requests may come in another one.
  local function connect(count, timeout)
    local all = { begun = {}, failed = {}, kinds = {}, order = {} }
    for i = 1, count do
      all[i] = WebSocket.new {
        url = function()
          all.begun[i] = all.begun[i] or socket.gettime()
          table.insert(all.order, i)
          return ("ws://127.0.0.1:%d/%d"):format(server.port, i)
        end,
        connect_timeout = timeout,
        reconnect = false,
        on_error = function(event)
          all.failed[i] = socket.gettime()
          all.kinds[event.kind] = (all.kinds[event.kind] or 0) + 1
        end,
      }
    end
    for i = 1, count do all[i]:connect() end
    return all
  end

  local function all_closed(clients)
    return function()
      for _, ws in ipairs(clients) do
        if ws.status ~= "closed" then return false end
      end
      return true
    end
  end

  it("have so many attempts under way, those first that wait longest, each with its whole time", function()
    local count, timeout = 3 * MOST - 10, 0.5
    local clients = connect(count, timeout)
    turn.till(all_closed(clients), "all attempts fail")
    assert.same({ timeout = count }, clients.kinds)
    assert.equal(MOST, server.most)
    for i = 1, count do
      assert.equal(i, clients.order[i])
      cost.expect(clients.failed[i] - clients.begun[i], timeout - 0.05, timeout + 0.4)
    end
    cost.expect(clients.begun[MOST + 1] - clients.begun[1], timeout - 0.05, timeout + 0.4)
  end)

  it("leave the order by close(), and keep their place in it by reconnect()", function()
    local clients = connect(MOST + 4, 0.5)
    turn.till(function() return #server.paths == MOST end, "as many connections as there are places")
    for i = MOST + 1, MOST + 4 do assert.equal("connecting", clients[i].status) end
    clients[MOST + 1]:close()
    turn.till(function() return clients[MOST + 1].status == "closed" end, "the close", 0.3)
    clients[MOST + 2]:reconnect()
    turn.till(all_closed(clients), "the other attempts")
    assert.same({ MOST + 2, MOST + 3, MOST + 4 }, table.move(clients.order, MOST + 1, MOST + 4, 1, {}))
    assert.is_nil(clients.begun[MOST + 1])
  end)

  it("have the place of one that is closed, or collected, at once", function()
    local clients = connect(MOST + 2, 30)
    turn.till(function() return #server.paths == MOST end, "as many connections as there are places")
    clients[3]:close()
    turn.till(function() return #server.paths == MOST + 1 end, "the next attempt", 1)
    clients[5]:reconnect() -- goes behind the last one
    turn.till(function() return #server.paths == MOST + 2 end, "the one after it", 1)
    clients[7]:close()
    turn.till(function() return #server.paths == MOST + 3 end, "the one that asked anew", 1)
    assert.same({ MOST + 1, MOST + 2, 5 }, table.move(server.paths, MOST + 1, MOST + 3, 1, {}))
    for i = 1, MOST + 2 do clients[i]:close() end
    turn.till(all_closed(clients), "the end")
  end)
end)

-- In a process of its own: opens clients, kills their server, and starts another one. Prints what the
-- longest turn of each part took, in seconds of CPU time.
local STORM = [[
  local server_program, count, limit = ...
  local BenchServer = require "support.bench_server"
  local WebSocket = require "steadysocket"
  local socket = require "socket"
  count, limit = tonumber(count), tonumber(limit)

  local server
  local function start()
    server = BenchServer.start { program = server_program }
  end

  local opens, closes, errors = 0, 0, 0
  local clients = {}
  for i = 1, count do
    clients[i] = WebSocket.new {
      url = function() return ("ws://127.0.0.1:%d/hold"):format(server.port) end,
      reconnect = { min_delay = 0.1, max_delay = 1 },
      on_open = function() opens = opens + 1 end,
      on_close = function() closes = closes + 1 end,
      on_error = function() errors = errors + 1 end,
    }
  end

  local function longest_turn_until(condition)
    local longest, deadline = 0, socket.gettime() + limit
    while not condition() do
      assert(socket.gettime() < deadline, ("%d opened, %d closed, %d failed"):format(opens, closes, errors))
      local before = os.clock()
      WebSocket.step(0.1)
      longest = math.max(longest, os.clock() - before)
    end
    return longest
  end

  start()
  for i = 1, count do clients[i]:connect() end
  print(longest_turn_until(function() return opens == count end))
  server:stop()
  start()
  print(longest_turn_until(function() return closes == count end))
  print(longest_turn_until(function() return opens == 2 * count end))
  print(errors)
  server:stop()
  os.exit(0, false)
]]

-- How many it are: as many as the limit of descriptors allows, where somebody says so.
local CLIENTS = tonumber(os.getenv "SPEC_CLIENTS") or 3000

describe(("%d clients whose server is killed"):format(CLIENTS), function()
  it("are open again, and no turn takes long", function()
    local limit = 30 + CLIENTS / 100
    local result = child.run(STORM, { built "bench/server", tostring(CLIENTS), tostring(limit) },
      { patience = 1 + CLIENTS / 1000 })
    assert(result.code == 0, result.err)
    local opening, losing, back, errors = result.out:match "(%S+)\n(%S+)\n(%S+)\n(%d+)\n"
    for name, longest in pairs { opening = opening, losing = losing, back = back } do
      assert(tonumber(longest) <= 0.05 * (tonumber(os.getenv "SPEC_PATIENCE") or 1), name .. " " .. result.out)
    end
    assert.equal("0", errors)
  end)
end)

-- In a process of its own, beside a server that sends without end to those who have asked for it.
local BUSY = [[
  local server_program, busy = ...
  local WebSocket = require "steadysocket"
  local socket = require "socket"
  local server = require "support.bench_server".start { program = server_program }

  local function client(path, options)
    options.url = "ws://127.0.0.1:" .. server.port .. path
    options.reconnect = false
    local ws = WebSocket.new(options)
    ws:connect()
    return ws
  end

  local function step_until(condition, seconds)
    local deadline = socket.gettime() + seconds
    while not condition() and socket.gettime() < deadline do WebSocket.step(0.1) end
    return condition()
  end

  -- Connections whose handlers leave the loop no time.
  local handled, open, failures = {}, 0, {}
  for i = 1, tonumber(busy) do
    handled[i] = 0
    client("/flood?size=100000&count=1000000", {
      on_open = function(_, ws)
        open = open + 1
        ws:send "go"
      end,
      on_message = function()
        handled[i] = handled[i] + 1
        local start = os.clock()
        while os.clock() - start < 0.01 do end
      end,
    })
  end
  local quiet = {}
  for i = 1, 3 do
    quiet[i] = client("/hold", {
      heartbeat = { interval = 0.3, timeout = 0.3 },
      on_open = function() open = open + 1 end,
      on_error = function(event) failures[#failures + 1] = event.message end,
    })
  end
  local all = tonumber(busy) + 3
  assert(step_until(function() return open == all end, 10), open .. " are open")
  for i = 1, #handled do handled[i] = 0 end

  -- Others connect, a heartbeat goes on, and a large message goes out.
  local opened, got = 0, 0
  for _ = 1, 10 do
    client("/hold", { on_open = function() opened = opened + 1 end })
  end
  client("/echo", {
    on_open = function(_, ws) ws:send(("x"):rep(1 << 20), "binary") end,
    on_message = function(data) got = #data end,
  })
  assert(step_until(function() return opened == 10 end, 5), opened .. " of 10 have opened")
  assert(step_until(function() return got == 1 << 20 end, 10), "the large message is on its way")
  step_until(function() return false end, 1)
  for i = 1, #quiet do assert(quiet[i].status == "open", table.concat(failures, "\n")) end
  assert(#failures == 0, failures[1])
  table.sort(handled)
  print(handled[1], handled[#handled])
  server:stop()
  os.exit(0, false)
]]

describe("connections that keep the loop busy", function()
  for _, count in ipairs { 1, 8 } do
    it(("leave other clients their turns, when there are %d"):format(count), function()
      local result = child.run(BUSY, { built "bench/server", tostring(count) })
      assert(result.code == 0, result.err)
      local least, most = result.out:match "(%d+)\t(%d+)"
      assert(tonumber(most) <= 3 * tonumber(least) + 3, result.out)
    end)
  end
end)
