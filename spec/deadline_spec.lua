-- Deadlines: each holds, and is judged after what had come by then was heard.

local Peer = require "support.peer"
local Server = require "support.server"
local child = require "support.child"
local cost = require "support.cost"
local preload = require "support.preload"
local silent = require "support.silent"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"
local WebSocket = require "steadysocket"

-- As a handler that takes long.
local function block(seconds)
  local till = socket.gettime() + seconds
  while socket.gettime() < till do socket.sleep(till - socket.gettime()) end
end

describe("The heartbeat", function()
  after_each(Server.stop_all)

  it("does not take a peer for dead whose question a handler has held up", function()
    local server = Server.start()
    local errors, held = {}, 0
    local ws = WebSocket.new {
      url = server:url(),
      heartbeat = { interval = 0.3, timeout = 0.3 },
      on_error = function(event) errors[#errors + 1] = event.message end,
      log = {
        level = "debug",
        to = function(_, line)
          if held < 2 and line:find "a ping goes out" then
            held = held + 1
            block(0.9)
          end
        end,
      },
    }
    ws:connect()
    turn.till(function() return ws:stats().pongs >= 3 end, "three answers", 10)
    assert.same({}, errors)
    assert.equal(2, held)
    ws:close()
    turn.till(function() return ws.status == "closed" end, "the end")
  end)
end)

describe("connect_timeout", function()
  after_each(function()
    watched.end_all()
    silent.close_all()
    Server.stop_all()
  end)

  for what, listen in pairs {
    ["that drops what comes"] = function() return silent.listen() end,
    ["that accepts and says nothing"] = function() return Peer.listen().port end,
  } do
    for _, scheme in ipairs { "ws", "wss" } do
      it(("holds with a server of %s:// %s"):format(scheme, what), function()
        local url = ("%s://127.0.0.1:%d/"):format(scheme, listen())
        local spent = cost.of(function()
          local client = watched.connect { url = url, connect_timeout = 0.3, reconnect = false }
          assert.equal("timeout", client:await("errors").kind)
          client:await_status "closed"
        end)
        cost.expect(spent.seconds, 0.29, 0.8)
        assert.is_true(spent.cpu < 0.2 or child.sanitized(), spent.cpu .. " s of CPU")
      end)
    end
  end

  describe("with a name of two addresses", function()
    teardown(preload.remove_all)

    -- In a process of its own, where two.example is ::1, then 127.0.0.1. The first one drops what comes.
    local function run(code)
      local environment = preload.environment "names"
      if not environment then return nil end
      return child.run([[
        local Peer = require "support.peer"
        local cost = require "support.cost"
        local silent = require "support.silent"
        local watched = require "support.watched"
        local server
        repeat
          if server then server:close() end
          server = Peer.listen()
        until pcall(silent.listen, "::1", server.port)
        local function connect(options)
          options.url = ("ws://two.example:%d/"):format(server.port)
          return watched.connect(options)
        end
      ]] .. code .. [[
        watched.end_all()
        silent.close_all()
      ]], {}, { environment = environment })
    end

    it("holds where the first is silent and the second says nothing", function()
      local result = run [[
        local spent = cost.of(function()
          local client = connect { connect_timeout = 0.6, reconnect = { min_delay = 0 } }
          for number = 1, 2 do assert(client:await("errors", number).kind == "timeout") end
        end)
        cost.expect(spent.seconds, 1.19, 2)
      ]]
      if not result then return pending "needs cc and LD_PRELOAD" end
      assert.same({ out = "", err = "", code = 0 }, result)
    end)

    it("is not used up by a silent one: the next has its turn after a quarter of a second", function()
      local result = run [[
        local spent, client = cost.of(function()
          local client = connect { connect_timeout = 10 }
          server:welcome()
          client:await "opens"
          return client
        end)
        cost.expect(spent.seconds, 0.24, 0.7)
        assert(#client.errors == 0)
      ]]
      if not result then return pending "needs cc and LD_PRELOAD" end
      assert.same({ out = "", err = "", code = 0 }, result)
    end)
  end)

  it("lets a proxy's next address be tried when the file with the authorities is gone", function()
    local environment = preload.environment "names"
    if not environment then return pending "needs cc and LD_PRELOAD" end
    local result = child.run([[
      local Peer = require "support.peer"
      local Proxy = require "support.proxy"
      local certs = require "support.certs"
      local silent = require "support.silent"
      local turn = require "support.turn"
      local watched = require "support.watched"
      local proxy
      repeat
        if proxy then proxy:close() end
        proxy = Proxy.listen()
      until pcall(silent.listen, "::1", proxy.port)
      local server = Peer.listen { tls = certs.good }
      local ca = os.tmpname()
      os.execute(("cp %s %s"):format(certs.ca, ca))
      local client = watched.connect {
        url = server.url,
        proxy = "http://two.example:" .. proxy.port,
        tls = { ca_file = ca },
        reconnect = false,
      }
      for _ = 1, 10 do turn.once() end -- the first address has been asked by now
      os.remove(ca)
      server:welcome()
      client:await "opens"
      assert(#client.errors == 0)
      watched.end_all()
      silent.close_all()
      Proxy.close_all()
    ]], {}, { environment = environment })
    assert.same({ out = "", err = "", code = 0 }, result)
  end)

  it("does not count the time for which a handler keeps the loop from listening", function()
    local blocker, slow = Peer.listen(), Peer.listen()
    local first = watched.connect { url = blocker.url }
    local blocking = blocker:welcome()
    first:await "opens"
    local client = watched.connect { url = slow.url, connect_timeout = 0.4, reconnect = false }
    local conn = slow:accept()
    local key = conn:request().headers["sec-websocket-key"]
    first.ws.on_message = function()
      conn.socket:send(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        .. "Sec-WebSocket-Accept: %s\r\n\r\n"):format(Peer.accept_value(key)))
      block(0.8)
    end
    blocking:text "work"
    client:await "opens"
    assert.same({}, client.errors)
  end)

  it("begins when the program comes to the loop, and not before", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, connect_timeout = 0.3, reconnect = false }
    block(0.7)
    server:welcome()
    client:await "opens"
    assert.same({}, client.errors)
  end)

  it("is not longer for what the program did before it connected", function()
    local url = ("ws://127.0.0.1:%d/"):format(silent.listen())
    WebSocket.step(0)
    block(1)
    local spent = cost.of(function()
      watched.connect({ url = url, connect_timeout = 0.3, reconnect = false }):await "errors"
    end)
    cost.expect(spent.seconds, 0.29, 0.9)
  end)

  for what, before in pairs {
    ["after an earlier run has ended"] = 'WebSocket.after(0.01, function() end) WebSocket.run()',
    ["after another event loop has asked for the time-out"] = "assert(WebSocket.timeout() == nil)",
    ["while a timer is armed, for which another event loop waits"] =
      'WebSocket.after(5, print) WebSocket.step(0) assert(WebSocket.timeout() > 1)',
  } do
    it("begins when the program comes to the loop, " .. what, function()
      local server = Server.start()
      local result = child.run(([[
        local WebSocket = require "steadysocket"
        local socket = require "socket"
        %s
        local ws = WebSocket.new {
          url = arg[1],
          connect_timeout = 0.5,
          reconnect = false,
          on_error = function(event) print(event.message) end,
          on_open = function(_, ws) print "open" ws:close() WebSocket.stop() end,
        }
        ws:connect()
        socket.sleep(1)
        WebSocket.run()
      ]]):format(before), { server:url(nil, "localhost") })
      assert.same({ out = "open\n", err = "", code = 0 }, result)
    end)
  end

  it("holds where another event loop polls for as long as timeout() says", function()
    local client = watched.new {
      url = ("ws://127.0.0.1:%d/"):format(silent.listen()),
      connect_timeout = 0.5,
      reconnect = false,
    }
    local start = socket.gettime()
    client.ws:connect()
    repeat
      WebSocket.step(0)
      socket.sleep(math.min(WebSocket.timeout() or 1, 1)) -- as its poll would, with nothing to read
    until client.errors[1] or socket.gettime() - start > 4
    cost.expect(socket.gettime() - start, 0.45, 1)
  end)

  it("begins anew with reconnect(), whatever kept the loop from listening before", function()
    local port = silent.listen()
    local client = watched.connect {
      url = ("ws://127.0.0.1:%d/"):format(port),
      connect_timeout = 0.6,
      reconnect = false,
    }
    local start
    WebSocket.after(0.05, function()
      block(1.5)
      start = socket.gettime()
      client.ws:reconnect()
    end)
    client:await("errors", 1)
    cost.expect(socket.gettime() - start, 0.55, 1.1)
  end)

  it("does not count the time for which the process was stopped", function()
    local server = Peer.listen()
    local result = child.run([[
      local WebSocket = require "steadysocket"
      local pid = tonumber((assert(io.open "/proc/self/stat"):read "n"))
      local ws = WebSocket.new {
        url = arg[1],
        connect_timeout = 0.5,
        reconnect = false,
        on_error = function(event) print(event.kind) end,
        on_open = function(event, ws) print "open"; ws:close() end,
      }
      ws:connect()
      os.execute(("(sleep 0.2; kill -STOP %d; sleep 1; kill -CONT %d) &"):format(pid, pid))
      WebSocket.run()
    ]], { silent.listen and ("ws://127.0.0.1:%d/"):format(silent.listen()) or server.url })
    -- It is a server that drops what comes: what counts is that the time-out is not early.
    assert.same({ out = "timeout\n", err = "", code = 0 }, result)
  end)
end)

describe("A loop of steps that ends with a status", function()
  after_each(watched.end_all)

  it("has seen on_close when the status is closed", function()
    for _ = 1, 20 do
      local server = Peer.listen()
      local told = false
      local ws = WebSocket.new {
        url = server.url,
        reconnect = false,
        on_close = function(event) told = event.code end,
      }
      ws:connect()
      local conn = server:welcome()
      turn.till(function() return ws.status == "open" end, "on_open")
      conn:close(4000)
      conn:finish()
      while ws.status ~= "closed" do WebSocket.step(0.05) end
      assert.equal(4000, told)
    end
  end)

  -- close() while the client waits for its next attempt closes it at once.
  local function waiting(options)
    options.url = "ws://127.0.0.1:1/"
    if options.reconnect == nil then
      options.reconnect = { min_delay = 60, max_delay = 60, jitter = 0 }
    end
    local told = {}
    options.on_status = function(status) told[status] = true end
    local ws = WebSocket.new(options)
    ws:connect()
    if options.reconnect then turn.till(function() return ws.status == "waiting" end, "waiting") end
    return ws, told
  end

  for where, close in pairs {
    ["a timer"] = function(ws) WebSocket.after(0.01, function() ws:close() end) end,
    ["a task"] = function(ws) WebSocket.spawn(function() ws:close() end) end,
    ["the program, between two steps"] = function(ws) ws:close() end,
  } do
    it("has seen on_status when close() comes from " .. where, function()
      local ws, told = waiting {}
      close(ws)
      while ws.status ~= "closed" do WebSocket.step(0.05) end
      assert.is_true(told.closed)
    end)
  end

  it("has seen on_status when on_error raises", function()
    local ws, told = waiting {
      reconnect = false,
      on_error = function() error("on purpose", 0) end,
    }
    while ws.status ~= "closed" do pcall(WebSocket.step, 0.05) end
    assert.is_true(told.closed)
  end)
end)

describe("A handler that causes more to tell", function()
  it("does not hold the loop: others have their turns", function()
    local ticks, lines = 0, 0
    local ws
    ws = WebSocket.new {
      url = "ws://127.0.0.1:1/",
      reconnect = { min_delay = 0.05, jitter = 0 },
      log = {
        level = "debug",
        to = function()
          lines = lines + 1
          if lines > 20000 then return end
          ws:pause()
          ws:resume()
        end,
      },
    }
    ws:connect()
    local timer = WebSocket.every(0.01, function() ticks = ticks + 1 end)
    turn.till(function() return ticks > 5 end, "the timer")
    assert.is_true(lines > 5)
    timer:cancel()
    ws.log = nil
    ws:close()
    turn.till(function() return ws.status == "closed" end, "the end")
  end)
end)
