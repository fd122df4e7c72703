-- Names that are never answered. The system's resolver cannot be told to stop, so what waits for it
-- has to do without it. Each case is a process of its own, in which such names end in .silent.

local ProxyProcess = require "support.proxy_process"
local Server = require "support.server"
local child = require "support.child"
local preload = require "support.preload"
local socket = require "socket"

describe("A name that is never answered", function()
  local server, environment

  setup(function()
    server = Server.start()
    environment = preload.environment "names"
  end)

  teardown(function()
    Server.stop_all()
    preload.remove_all()
  end)

  -- sudden: the end leaves no room to give everything back.
  local function run(code, sudden)
    local start = socket.gettime()
    local result = child.run('local WebSocket = require "steadysocket"\n' .. code,
      { server:url(nil, "localhost") },
      { environment = environment .. (sudden and " ASAN_OPTIONS=detect_leaks=0" or "") })
    return result, socket.gettime() - start
  end

  local function silent(name, expected, code, sudden)
    it(name, function()
      if not environment then
        pending "needs cc and LD_PRELOAD"
        return
      end
      local result, took = run(code, sudden)
      assert.same({ out = expected, err = "", code = 0 }, result)
      assert.is_true(took < 30, ("it took %g s"):format(took)) -- it would be as long as child.run allows
    end)
  end

  silent("fails after connect_timeout, again and again", "timeout\ntimeout\ntimeout\nclosed\n", [[
    local ws = WebSocket.new {
      url = "ws://a.silent/",
      connect_timeout = 0.1,
      reconnect = { min_delay = 0.01, max_attempts = 3 },
      on_error = function(event)
        assert(event.message:find "the name is not resolved within 0.1 s$")
        print(event.kind)
      end,
    }
    ws:connect()
    WebSocket.run()
    print(ws.status)
  ]])

  silent("does not put off close()", "connecting\nclosed\n", [[
    local ws = WebSocket.new {
      url = "ws://a.silent/",
      connect_timeout = 60,
      on_status = function(status) print(status) end,
      on_error = print,
      on_close = print,
    }
    ws:connect "dropped"
    WebSocket.after(0.05, function()
      ws:close()
      assert(ws.queued == 0)
    end)
    WebSocket.run()
  ]])

  silent("leaves other names and addresses alone, however many there are of it", "open\topen\n", [[
    for number = 1, 50 do
      WebSocket.new {
        url = ("ws://name-%d.silent/"):format(number),
        connect_timeout = 60,
      }:connect()
    end
    WebSocket.step(0.05)
    local name = WebSocket.new { url = arg[1], connect_timeout = 5 }
    local address = WebSocket.new { url = arg[1]:gsub("localhost", "127.0.0.1"), connect_timeout = 5 }
    name:connect()
    address:connect()
    name:wait("open", 5)
    address:wait("open", 5)
    print(name.status, address.status)
  ]])

  silent("is asked for once at a time, by however many clients and attempts", "true\n", [[
    local function threads()
      for line in io.lines "/proc/self/status" do
        local count = line:match "^Threads:%s+(%d+)"
        if count then return tonumber(count) end
      end
    end
    local before, failures = threads(), 0
    for _ = 1, 20 do
      WebSocket.new {
        url = "ws://a.silent/",
        connect_timeout = 0.05,
        reconnect = { min_delay = 0.01, max_attempts = 5 },
        on_error = function() failures = failures + 1 end,
      }:connect()
    end
    WebSocket.run()
    assert(failures == 100)
    print(threads() <= before + 1)
  ]])

  -- The state is closed where the program ends by itself, and with true.
  for name, ending in pairs {
    ["the end of the program"] = "",
    ["os.exit()"] = "os.exit(0)",
    ["os.exit() with the state closed"] = "os.exit(0, true)",
    ["os.exit() in a handler"] = 'ws.on_status = function() os.exit(0, true) end ws:close() WebSocket.run()',
  } do
    silent("does not put off " .. name, "", [[
      local ws = WebSocket.new { url = "ws://a.silent/", connect_timeout = 60 }
      ws:connect()
      WebSocket.step(0.05)
    ]] .. ending, ending ~= "" and not ending:find "^os.exit%(0, true")
  end
end)

describe("A name that several clients ask for", function()
  teardown(Server.stop_all)

  it("is answered to each that still waits, with its own port", function()
    local first, second = Server.start(), Server.start()
    local result = child.run([[
      local WebSocket = require "steadysocket"
      local function new(url)
        local ws = WebSocket.new { url = url, on_message = function(_, _, ws) ws:close() end }
        ws:connect "hello"
        return ws
      end
      local clients = {}
      for number = 1, 30 do clients[number] = new(arg[number % 2 + 1]) end
      WebSocket.step(0)
      for number = 1, 30, 3 do clients[number]:close() end -- the first, and some between
      clients[30]:close()                                  -- and the last
      WebSocket.run()
      local received = 0
      for _, ws in ipairs(clients) do received = received + ws:stats().received end
      print(received)
    ]], { first:url(nil, "localhost"), second:url(nil, "localhost") })
    assert.same({ out = "19\n", err = "", code = 0 }, result)
  end)
end)

describe("The names that are looked up", function()
  teardown(function()
    Server.stop_all()
    ProxyProcess.stop_all()
    preload.remove_all()
  end)

  -- libwebsockets 4.5.8 would ask connectivitycheck.android.com whether there is an Internet.
  it("are those of URLs and of proxies and no other", function()
    local environment = preload.environment "names"
    if not environment then
      pending "needs cc and LD_PRELOAD"
      return
    end
    local log = os.tmpname()
    local server = Server.start()
    local proxy = ProxyProcess.start "HTTP/1.1 403 Forbidden\r\n\r\n"
    local result = child.run([[
      local WebSocket = require "steadysocket"
      local address, name, proxy = table.unpack(arg)
      for _, options in ipairs {
        { url = address },
        { url = name },
        { url = "ws://a.example/", proxy = proxy }, -- the proxy looks it up
      } do
        options.reconnect = false
        local ws = WebSocket.new(options)
        ws:connect()
        print(ws:wait("open", 5) or ws.last_error)
        ws:close()
      end
      WebSocket.run()
    ]], {
      server:url(nil, "127.0.0.1"), server:url(nil, "localhost"), "http://localhost:" .. proxy.port,
    }, { environment = environment .. " NAMES_LOG=" .. log })
    local file <close> = io.open(log)
    os.remove(log)
    assert.same({ err = "", code = 0 }, { err = result.err, code = result.code })
    assert.matches("^true\ntrue\n[^\n]* refused to connect to a.example[^\n]*\n$", result.out)
    assert.equal("localhost\nlocalhost\n", file:read "a")
  end)
end)
