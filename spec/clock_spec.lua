-- Clocks that do not go on evenly. All waiting is by the monotonic clock: a wall clock that jumps
-- changes nothing, and time that passed while the process was stopped is not held against the peer.

local Server = require "support.server"
local child = require "support.child"
local preload = require "support.preload"
local socket = require "socket"

describe("A wall clock that jumps by hours, to and fro, ten times a second,", function()
  local server, environment

  setup(function()
    server = Server.start()
    environment = preload.environment "jumping_clock"
  end)

  teardown(function()
    Server.stop_all()
    preload.remove_all()
  end)

  -- The program has to see the jumps, and to take as long as its timers say.
  local PROLOGUE = [[
    local WebSocket = require "steadysocket"
    local least, most = math.huge, 0
    WebSocket.every(0.02, function()
      least, most = math.min(least, os.time()), math.max(most, os.time())
    end)
    WebSocket.after(1, function()
      print(most - least > 10 * 3600)
      WebSocket.stop()
    end)
  ]]

  local function jumping(name, code, url)
    it(name, function()
      if not environment then
        pending "needs cc and LD_PRELOAD"
        return
      end
      local start = socket.gettime()
      local result = child.run(PROLOGUE .. code, { url or server:url() }, { environment = environment })
      local took = socket.gettime() - start
      assert.same({ out = "true\nfine\n", err = "", code = 0 }, result)
      assert.is_true(took > 0.95 and took < 30, ("it took %g s"):format(took))
    end)
  end

  jumping("leaves the heartbeat its interval", [[
    local ws = WebSocket.new {
      url = arg[1],
      heartbeat = { interval = 0.13, timeout = 10 },
      on_error = function(event) print(event.message) end,
      on_close = function() print "lost" end,
    }
    ws:connect()
    WebSocket.run()
    local stats = ws:stats()
    -- No more than there is time for; fewer when the machine is busy.
    print(stats.pings >= 2 and stats.pings <= 8 and stats.connections == 1 and "fine" or stats.pings)
  ]])

  jumping("leaves reconnection its delays", [[
    local ws = WebSocket.new {
      url = "ws://127.0.0.1:1/",
      reconnect = { min_delay = 0.13, max_delay = 0.13, jitter = 0 },
    }
    ws:connect()
    WebSocket.run()
    local attempts = ws:stats().attempts
    print(attempts >= 2 and attempts <= 8 and "fine" or attempts)
  ]])

  jumping("leaves connect_timeout its seconds", [[
    local listener = require "socket".bind("127.0.0.1", 0)
    local ws = WebSocket.new {
      url = "ws://127.0.0.1:" .. math.tointeger(select(2, listener:getsockname())) .. "/",
      connect_timeout = 0.25,
      reconnect = { min_delay = 0 },
    }
    ws:connect()
    WebSocket.run()
    local stats = ws:stats()
    print(stats.attempts >= 2 and stats.attempts <= 5 and stats.attempts - stats.failures <= 1
      and ws.last_error:find "no complete HTTP answer" and "fine" or ws.last_error)
  ]])

  jumping("leaves what is queued its ttl, and confirmation its order", [[
    local received, path, ws = 0, os.tmpname()
    ws = WebSocket.new {
      url = arg[1] .. "?file=" .. path,
      confirm = true,
      queue = { ttl = 60 },
      reconnect = { min_delay = 0.01 },
      on_message = function()
        received = received + 1
        if received % 10 == 0 then ws:reconnect() end
      end,
    }
    ws:connect()
    local sent = 0
    local sender = WebSocket.every(0.01, function()
      sent = sent + 1
      assert(ws:send(tostring(sent)))
    end)
    WebSocket.run()
    sender:cancel()
    assert(ws:flush(10) and ws:stats().connections > 1)
    local expected = 1
    for line in io.lines(path) do
      assert(tonumber(line) <= expected)
      if tonumber(line) == expected then expected = expected + 1 end
    end
    os.remove(path)
    print(expected == sent + 1 and ws:stats().dropped == 0 and "fine" or expected)
  ]])

  -- A date is told by the wall clock, so what is waited for is wrong when that is; but bounded.
  jumping("makes of a Retry-After that is a date an hour at most", [[
    local Peer = require "support.peer"
    local server = Peer.listen()
    local later = {}
    for number = 1, 10 do
      local ws
      ws = WebSocket.new {
        url = server.url,
        on_error = function(event)
          later[number] = event.retry_after or 0
          ws:close() -- before it is back, which may be at once
        end,
      }
      ws:connect()
      local conn = server:accept()
      conn:request()
      conn:reply("HTTP/1.1 503 Service Unavailable", {
        ["Retry-After"] = os.date("!%a, %d %b %Y %H:%M:%S GMT"), -- now, as the clock has it at once
      })
      require "support.turn".till(function() return later[number] end, "the answer")
      WebSocket.sleep(0.05)
    end
    WebSocket.run()
    for _, seconds in ipairs(later) do
      if seconds < 0 or seconds > 3600 then print(seconds) end
    end
    print "fine"
  ]])
end)

describe("A machine on which time passes between any two readings of the clock", function()
  teardown(preload.remove_all)

  -- Each number is told in one event, so it has to be the one that the server named.
  it("has no figure of an event depend on when it was worked out", function()
    local environment = preload.environment "busy_clock"
    if not environment then
      pending "needs cc and LD_PRELOAD"
      return
    end
    local result = child.run([[
      local Peer = require "support.peer"
      local WebSocket = require "steadysocket"
      local server = Peer.listen()
      for number = 1, 5 do
        local told
        local ws = WebSocket.new {
          url = server.url,
          reconnect = { jitter = 0 },
          on_error = function(event, ws)
            told = ("%s %.9g"):format(event.retry_after, event.delay)
            ws:close()
          end,
        }
        ws:connect()
        local conn = server:accept()
        conn:request()
        conn:reply("HTTP/1.1 503 Service Unavailable", { ["Retry-After"] = "120" })
        require "support.turn".till(function() return told end, "the answer")
        print(told)
      end
    ]], {}, { environment = environment })
    assert.same({ out = ("120.0 120\n"):rep(5), err = "", code = 0 }, result)
  end)
end)

describe("A client that was stopped for longer than the heartbeat's timeout", function()
  setup(function() Server.start() end)
  teardown(Server.stop_all)

  -- Stops itself, and has a shell wake it half a second later.
  local STOPPED = [[
    local WebSocket = require "steadysocket"
    local pipe = io.popen "echo $PPID"
    local pid = pipe:read "n"
    pipe:close()
    local rounds, when = 0, arg[2]
    local ws = WebSocket.new {
      url = arg[1],
      confirm = true,
      heartbeat = { interval = 0.1, timeout = 0.1 },
      on_error = function(event) print(event.message) end,
      on_close = function(event) print("lost", event.code) end,
    }
    local function stop()
      rounds = rounds + 1
      os.execute(("{ sleep 0.5; kill -CONT %d; } > /dev/null 2>&1 & kill -STOP %d"):format(pid, pid))
      WebSocket.after(0, function() end) -- at which libuv learns how late it is
    end
    local pings = 0
    WebSocket.every(0.005, function()
      local now = ws:stats().pings
      if ws.status == "open" and now > pings and rounds < 2 then
        WebSocket.after(when == "asked" and 0 or 0.05, stop) -- or between two questions
      end
      pings = now
    end)
    ws:connect()
    WebSocket.spawn(function()
      while rounds < 2 do WebSocket.sleep(0.01) end
      ws:send "still here"
      print(ws:flush(10), ws:stats().connections)
      os.exit(0)
    end)
    WebSocket.run()
  ]]

  for when, name in pairs { asked = "with a question under way", between = "between two questions" } do
    it(name .. " looks for the answer before it gives the peer up", function()
      local server = Server.start()
      local result = child.run(STOPPED, { server:url(), when })
      assert.same({ out = "true\t1\n", err = "", code = 0 }, result)
    end)
  end
end)
