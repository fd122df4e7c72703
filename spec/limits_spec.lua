-- A system that gives no more: no descriptors, no room on the disk. Each case is a process of its
-- own, with limits of its own.

local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"

-- Takes all descriptors but so many, which are free in the middle of those that are taken; give()
-- gives all back.
local TAKE = [[
  local WebSocket = require "steadysocket"
  local held = {}
  local function take(free)
    repeat
      local file = io.open "/dev/null"
      table.insert(held, file)
    until not file
    for _ = 1, free do table.remove(held, #held // 2 + 1):close() end
  end
  local function give()
    for _, file in ipairs(held) do file:close() end
    held = {}
  end
]]

describe("With all descriptors taken", function()
  local plain, secure

  setup(function()
    plain = Server.start()
    secure = Server.start { tls = certs.good }
  end)

  teardown(Server.stop_all)

  local function run(code, arguments, environment)
    return child.run(TAKE .. code, arguments, { environment = "ulimit -n 64;" .. (environment or "") })
  end

  -- A client that connects with so many descriptors left, gets the rest at its first failure, and
  -- then works. Prints the failures, without what is the same in all.
  local CONNECT = [[
    local url, ca = arg[1], arg[2]
    local kinds = { network = "no socket can be made: too many open files" }
    -- What has to be there before: the loop and libwebsockets.
    local first = WebSocket.new { url = "ws://127.0.0.1:1/", reconnect = false }
    first:connect()
    WebSocket.run()
    local failures, free = 0, 0
    repeat
      local failed = false
      take(free)
      local ws
      ws = WebSocket.new {
        url = url,
        confirm = true,
        tls = ca and { ca_file = ca },
        reconnect = { min_delay = 0.01, max_delay = 0.01 },
        on_error = function(event)
          failed = true
          assert(event.message:lower():find "too many open files$", event.message)
          assert(event.will_reconnect)
          print(event.kind)
          give()
        end,
        on_message = function() ws:close() end,
      }
      ws:connect "hello"
      assert(ws:wait("closed", 10) == nil or ws.status == "closed")
      assert(ws:stats().received == 1 and ws:stats().dropped == 0, ws.last_error)
      give()
      free = free + 1
    until not failed
    print "works"
  ]]

  -- The kinds of failure, the fewest descriptors first.
  local function fails(expected, url, ca, environment)
    local result = run(CONNECT, { url, ca }, environment)
    assert.same({ out = expected .. "works\n", err = "", code = 0 }, result)
  end

  it("an attempt says so, and there is another", function()
    fails("network\n", plain:url())
  end)

  it("a name is not said to be unknown", function()
    fails("dns\n", plain:url(nil, "localhost"))
  end)

  it("authorities are not taken for unreadable or unknown ones for good", function()
    fails("tls\n", secure:url(), certs.ca)
    fails("tls\n", secure:url(), nil,
      ("SSL_CERT_FILE=%s SSL_CERT_DIR=/nowhere"):format(certs.ca))
  end)

  it("the first connect() of a program raises and says so, and can be called again", function()
    local result = run([[
      WebSocket.fd()
      for free = 0, 20 do
        take(free)
        local ws
        ws = WebSocket.new { url = arg[1], on_open = function() ws:close() end }
        local ok, problem = pcall(ws.connect, ws)
        give()
        if ok then break end
        if not problem:find "connect: too many open files" then print(problem) end
        assert(free < 20 and ws.status == "idle")
        if free == 7 then ws:connect() end
        WebSocket.run()
      end
      print "fine"
    ]], { plain:url() })
    assert.same({ out = "fine\n", err = "", code = 0 }, result)
  end)

  it("no loop can be made, which raises, and can be tried again", function()
    for _, free in ipairs { 0, 1, 2, 3, 5, 7 } do
      local result = run([[
        take(tonumber(arg[1]))
        local ok, problem = pcall(WebSocket.fd)
        print(ok, problem)
        give()
        assert(WebSocket.fd() > 0)
      ]], { tostring(free) })
      local expected = "false\tno event loop can be made: too many open files\n"
      assert.same({ out = expected, err = "", code = 0 }, result)
    end
  end)

  it("open connections live, and come back when there are descriptors again", function()
    local result = run([[
      local echoes, errors = 0, 0
      local ws = WebSocket.new {
        url = arg[1],
        confirm = true,
        reconnect = { min_delay = 0.05, factor = 2, jitter = 0 },
        heartbeat = { interval = 0.02, timeout = 10 },
        on_message = function() echoes = echoes + 1 end,
        on_error = function() errors = errors + 1 end,
      }
      local function says_hello(count)
        ws:send "hello"
        WebSocket.spawn(function()
          while echoes < count do WebSocket.sleep(0.01) end
          WebSocket.stop()
        end)
        WebSocket.run()
      end
      ws:connect()
      says_hello(1)
      take(0)
      says_hello(2)
      local pongs = ws:stats().pongs
      while ws:stats().pongs < pongs + 3 do WebSocket.step() end
      assert(errors == 0 and ws:stats().connections == 1)
      -- One that is lost frees its descriptor: that is taken as well.
      ws:reconnect()
      repeat
        WebSocket.step(0)
        take(0)
      until errors >= 3
      assert(ws:stats().attempts == 4, ws:stats().attempts)
      give()
      says_hello(3)
      print(ws.unconfirmed, ws:stats().connections)
    ]], { plain:url() })
    assert.same({ out = "0\t2\n", err = "", code = 0 }, result)
  end)

  it("hundreds of failed attempts leave none behind", function()
    local result = run([[
      local function open()
        local count, files = 0, {}
        repeat
          files[#files + 1] = io.open "/dev/null"
          count = count + 1
        until not files[count]
        for _, file in ipairs(files) do file:close() end
        return count
      end
      local ws
      ws = WebSocket.new {
        url = arg[1],
        tls = { verify = false },
        reconnect = { min_delay = 0, max_delay = 0 },
        on_status = function(status)
          if status ~= "waiting" then return end
          give()
          if ws.attempt == 20 then print(open()) end
          if ws.attempt == 300 then print(open()) return ws:close() end
          take(ws.attempt % 3)
        end,
      }
      ws:connect()
      WebSocket.run()
    ]], { "wss://127.0.0.1:1/" })
    local first, last = result.out:match "^(%d+)\n(%d+)\n$"
    assert(first, result.out .. result.err)
    assert.equal(first, last)
    assert.equal(0, result.code)
  end)
end)

describe("With no room on the disk", function()
  local server

  setup(function() server = Server.start() end)
  teardown(Server.stop_all)

  local PROLOGUE = [[
    local WebSocket = require "steadysocket"
    local count, file = 0, assert(io.open("/dev/full", "a"))
    file:setvbuf "no"
    local ws = WebSocket.new { url = arg[1], name = "prices" }
    ws.on_message = function(data)
      count = count + 1
      assert(tonumber(data) == count)
      if count == 3 then ws:reconnect() end
      if count == 6 then ws:close() end
    end
    ws.on_open = function() for number = 1, 3 do ws:send(tostring(count + number)) end end
  ]]

  local function lives(name, expected, code, under)
    it(name, function()
      if not io.open "/dev/full" then return pending "there is no /dev/full" end
      local result = child.run(PROLOGUE .. code, { server:url() }, { under = under })
      assert.same({ out = expected, err = "", code = 0 }, result)
    end)
  end

  lives("a log that overlooks it loses its lines and no message", "6\n", [[
    ws.log = function(_, message) file:write(message, "\n") end
    ws:connect()
    WebSocket.run()
    print(count)
  ]])

  lives("log = true loses its lines and no message", "6\n", [[
    ws.log = true
    ws:connect()
    WebSocket.run()
    print(count)
  ]], [[sh -c 'exec "$@" 2> /dev/full' sh]])

  lives("print in a handler loses its lines and no message", "", [[
    local on_message = ws.on_message
    ws.on_message = function(data) print(data) on_message(data) end
    ws:connect()
    WebSocket.run()
    os.exit(count == 6 and 0 or 1, true)
  ]], [[sh -c 'exec "$@" > /dev/full' sh]])

  -- connecting, connected, open, closed, connecting, connected, open, closing, closed, closed.
  lives("a log that raises has each error come out of run once, and loses no message", "10 6\n", [[
    local lines, errors = 0, 0
    ws.log = function(_, message)
      lines = lines + 1
      assert(file:write(message, "\n"))
    end
    ws:connect()
    repeat
      local ok, problem = pcall(WebSocket.run)
      if not ok then
        assert(problem:find ": No space left on device\nstack traceback:", problem)
        errors = errors + 1
      end
    until ok
    assert(lines == errors)
    print(errors .. " " .. count)
  ]])
end)
