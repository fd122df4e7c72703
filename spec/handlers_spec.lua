-- What handlers may do, and what comes of it when they fail.

local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local child = require "support.child"
local turn = require "support.turn"
local watched = require "support.watched"

local HANDLERS = { "on_open", "on_message", "on_close", "on_error", "on_status" }

local burst, numbers = Peer.burst, Peer.numbers

-- Collects all that comes out of handlers on the way to one condition after another.
local function new_journey()
  local errors = {}
  return errors, function(condition, what)
    local more = turn.through(condition, what)
    table.move(more, 1, #more, #errors + 1, errors)
  end
end

-- Whether a client has come and asked for the upgrade.
local function asked(server)
  return function()
    return server:arrivals() > 0 and server.all[1]:has_input()
  end
end

-- A few turns more.
local function a_few()
  local turns = 0
  return function()
    turns = turns + 1
    return turns > 6
  end
end

-- Adds what fn does in front of a handler that is there.
local function before(ws, name, fn)
  local handler = ws[name]
  ws[name] = function(...)
    fn(...)
    handler(...)
  end
end

-- And behind it.
local function behind(ws, name, fn)
  local handler = ws[name]
  ws[name] = function(...)
    handler(...)
    fn(...)
  end
end

-- A life in which every handler is called: an attempt fails, one succeeds, a message comes, the
-- connection is lost.
local function live(client, server)
  server:close()
  client.ws:connect()
  client:await "errors"
  server:open_again()
  local conn = server:welcome()
  client:await "opens"
  conn:text "hello"
  client:await "messages"
  conn:cut()
  client:await "closes"
end

describe("a handler", function()
  after_each(function()
    watched.end_all()
    Server.stop_all()
  end)

  it("gets the client as its last argument", function()
    local server = Peer.listen()
    local client = watched.new { url = server.url }
    local counts = { on_open = 2, on_message = 3, on_close = 2, on_error = 2, on_status = 3 }
    local called = {}
    for _, name in ipairs(HANDLERS) do
      before(client.ws, name, function(...)
        called[name] = true
        assert.equal(counts[name], select("#", ...))
        assert.equal(client.ws, (select(-1, ...)))
      end)
    end
    live(client, server)
    for _, name in ipairs(HANDLERS) do
      assert.is_true(called[name])
    end
  end)

  it("need not be there", function()
    local server = Peer.listen()
    local ws = WebSocket.new {
      url = server.url,
      reconnect = { min_delay = 0.01, max_delay = 0.01 },
    }
    ws:connect "first"
    local conn = server:welcome()
    conn:text "to nobody"
    assert.equal("first", conn:receive_text())
    conn:cut()
    server:welcome()
    turn.till(function() return ws.status == "open" end, "the second connection")
    ws:close()
    server.all[2]:receive_close()
    server.all[2]:cut()
    turn.till(function() return ws.status == "closed" end, "the end")
  end)

  it("can be replaced and taken away at any time, from the next call on", function()
    local server = Peer.listen()
    local seen = {}
    local ws = WebSocket.new(server.url)
    local function second(data)
      seen[#seen + 1] = "second " .. data
      ws.on_message = nil
    end
    ws.on_message = function(data)
      seen[#seen + 1] = "first " .. data
      ws.on_message = second
    end
    ws:connect()
    local conn = server:welcome { extra = burst(1, 3) }
    turn.till(function() return not ws.on_message end, "two messages")
    for _ = 1, 5 do turn.once() end
    assert.same({ "first 1", "second 2" }, seen)
    ws:close()
    conn:cut()
    turn.till(function() return ws.status == "closed" end, "the end")
  end)

  -- Everything but run, step and what waits.
  local calls = {
    connect = function(ws) ws:connect "data" end,
    send = function(ws) ws:send "data" end,
    ["send to nobody"] = function() WebSocket.new("ws://127.0.0.1:1/"):send "data" end,
    close = function(ws) ws:close() end,
    ["close and connect"] = function(ws)
      ws:close()
      ws:connect()
    end,
    reconnect = function(ws) ws:reconnect() end,
    ["reconnect twice"] = function(ws)
      ws:reconnect()
      ws:reconnect()
    end,
    ping = function(ws) ws:ping() end,
    pause = function(ws)
      ws:pause()
      ws:resume()
    end,
    tostring = function(ws) assert(#tostring(ws) > 0) end,
    stop = function() WebSocket.stop() end,
    fd = function() assert(WebSocket.fd() and (WebSocket.timeout() or 0) >= 0) end,
    after = function() WebSocket.after(0, function() end) end,
    every = function() WebSocket.every(0.001, function() end):cancel() end,
    ["a new client"] = function()
      local other = WebSocket.new "ws://127.0.0.1:1/"
      other.on_error = function() other:close() end
      other:connect()
    end,
    ["a new client, closed at once"] = function()
      local other = WebSocket.new "ws://127.0.0.1:1/"
      other:connect()
      other:close()
    end,
    collectgarbage = function()
      collectgarbage()
      collectgarbage()
    end,
  }

  for what, call in pairs(calls) do
    it("may do anything: " .. what, function()
      for _, name in ipairs(HANDLERS) do
        local server = Peer.listen()
        local client = watched.new { url = server.url }
        local called, ending = 0, false
        behind(client.ws, name, function(...)
          called = called + 1
          if called < 3 and not ending then call((select(-1, ...))) end
        end)
        -- Whatever the call makes of it, this life goes on by itself.
        server:close()
        client.ws:connect()
        turn.till(function()
          return #client.errors > 0 or client.ws.status == "closed"
        end, "the failed attempt")
        server:open_again()
        local greeted = 0
        turn.till(function()
          for i = greeted + 1, server:arrivals() do
            greeted = i
            local conn = server.all[i]
            pcall(conn.upgrade, conn, { extra = burst(1, 3) })
            pcall(conn.cut, conn)
          end
          return called > 0 or client.ws.status == "closed"
        end, name)
        ending = true
        watched.end_all()
      end
    end)
  end

  it("may connect a closed client again, in on_close", function()
    local server = Peer.listen()
    local client = watched.new { url = server.url }
    before(client.ws, "on_close", function(event, ws)
      assert.is_false(event.will_reconnect)
      assert.equal("closed", ws.status)
      if #client.closes == 0 then assert.is_true(ws:connect "again") end
    end)
    client.ws:connect()
    local conn = server:welcome()
    client:await "opens"
    client.ws:close()
    conn:receive_close()
    conn:cut()
    assert.equal("again", server:welcome():receive_text())
    assert.is_false(client:await("opens", 2).reconnected)
    assert.equal("connecting on_open open closing on_close closed connecting on_open open",
      client:told())
  end)

  it("may close in on_open, behind what it sends", function()
    local server = Peer.listen()
    local client = watched.connect({
      url = server.url,
      on_open = function(_, ws)
        ws:send "log in"
        ws:close(3000, "enough")
        assert.equal("closing", ws.status)
        assert.is_nil((ws:send "too late"))
      end,
    }, "first")
    local conn = server:welcome()
    assert.equal("log in", conn:receive_text())
    assert.equal("first", conn:receive_text())
    assert.same({ 3000, "enough" }, { conn:receive_close() })
    conn:close(3000)
    conn:finish()
    client:await_status "closed"
    assert.equal("connecting on_open open closing on_close closed", client:told())
  end)

  it("may reconnect in the middle of a burst, of which it gets nothing more", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      on_message = function(data, _, ws)
        if data == "50" then ws:reconnect() end
      end,
    }
    server:welcome { extra = burst(1, 100) }
    local conn = server:welcome()
    client:await("opens", 2)
    conn:text "101"
    assert.equal("101", client:await("messages", 51).data)
    assert.equal(51, #client.messages)
  end)

  it("may make a client that works", function()
    local one, two = Peer.listen(), Peer.listen()
    local inner
    local outer = watched.connect {
      url = one.url,
      on_open = function()
        inner = watched.connect { url = two.url }
      end,
    }
    one:welcome()
    outer:await "opens"
    two:welcome():text "hello"
    assert.equal("hello", inner:await("messages").data)
  end)
end)

--------------------------------------------------------------------------------------------------

describe("an error", function()
  after_each(function()
    watched.end_all()
    Server.stop_all()
  end)

  for _, name in ipairs(HANDLERS) do
    it("in " .. name .. " comes out of run with its traceback, and life goes on", function()
      local server = Peer.listen()
      local client = watched.new { url = server.url }
      local failures = 0
      local function fails_on_purpose()
        failures = failures + 1
        error("on purpose " .. failures)
      end
      behind(client.ws, name, function() fails_on_purpose() end)
      server:close()
      client.ws:connect()
      local errors, go_on = new_journey()
      go_on(function() return client.errors[1] end, "the failed attempt")
      server:open_again()
      go_on(asked(server), "a request")
      local conn = server.all[1]
      conn:upgrade()
      go_on(function() return client.opens[1] end, "the connection")
      conn:send(burst(1, 3))
      go_on(function() return client.messages[3] end, "the messages")
      conn:cut()
      go_on(function() return client.closes[1] and client.ws.status ~= "open" end, "the loss")
      go_on(a_few(), "the last status")
      client.ws[name] = nil
      client.ws:close()
      turn.till(function() return client.ws.status == "closed" end, "the end")
      for _ = 1, 3 do turn.once() end
      client.ws.on_status = function(status) client.story[#client.story + 1] = status end
      client.story[#client.story + 1] = "closed" -- for the end of the test

      assert(failures > 0)
      assert.equal(failures, #errors)
      for i, message in ipairs(errors) do
        assert.matches("handlers_spec.lua:%d+: on purpose " .. i .. "\nstack traceback:", message)
        assert.matches("fails_on_purpose", message)
      end
      assert.equal(1, #client.opens)
      assert.equal(3, #client.messages)
      assert.equal(1, #client.closes)
    end)
  end

  it("that is not a string comes out unchanged", function()
    local server = Peer.listen()
    local values, calls = { {}, 42, false, setmetatable({}, {}) }, 0
    local client = watched.connect {
      url = server.url,
      on_message = function()
        calls = calls + 1
        error(values[calls])
      end,
    }
    server:welcome { extra = burst(1, #values) }
    local errors = turn.through(function() return client.messages[#values] end, "the messages")
    assert.equal(#values, #errors)
    for i, value in ipairs(values) do
      assert.equal(value, errors[i])
    end
  end)

  it("in the middle of a burst loses no message and gives none twice", function()
    for _, at in ipairs { 1, 2, 50, 99, 100 } do
      local server = Peer.listen()
      local client = watched.connect {
        url = server.url,
        on_message = function(data)
          if data == tostring(at) then error "on purpose" end
        end,
      }
      local conn = server:welcome()
      client:await "opens"
      conn:send(burst(1, 100)) -- small enough to come in one segment
      local errors = turn.through(function() return client.messages[100] end, "the burst")
      assert.equal(1, #errors)
      for _ = 1, 5 do turn.once() end
      assert.equal(100, #client.messages)
      for i, message in ipairs(client.messages) do
        assert.equal(tostring(i), message.data)
      end
      assert.equal("open", client.ws.status)
      client.ws:send "still here"
      assert.equal("still here", conn:receive_text())
    end
  end)

  it("in each call of a burst loses none, and the end of the connection comes last", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      on_message = function() error "on purpose" end,
      on_close = function() error "on purpose" end,
    }
    local conn = server:welcome()
    client:await "opens"
    conn:send(burst(1, 100))
    conn:close(1001)
    conn:finish()
    local errors = turn.through(function() return client.closes[1] end, "the burst")
    assert.equal(101, #errors)
    assert.equal(100, #client.messages)
    assert.equal(1001, client.closes[1].code)
  end)

  it("keeps other clients' messages", function()
    local server = Peer.listen()
    local bad = watched.connect {
      url = server.url,
      on_message = function() error "on purpose" end,
    }
    local to_bad = server:welcome()
    local good = watched.connect { url = server.url }
    local to_good = server:welcome()
    bad:await "opens"
    good:await "opens"
    to_bad:send(burst(1, 50))
    to_good:send(burst(1, 50))
    local errors = turn.through(function()
      return bad.messages[50] and good.messages[50]
    end, "all messages")
    assert.equal(50, #errors)
    assert.equal(50, #bad.messages)
    assert.equal(50, #good.messages)
  end)

  it("in on_open does not keep what it sent from going first", function()
    local server = Peer.listen()
    local client = watched.connect({
      url = server.url,
      on_open = function(_, ws)
        ws:send "log in"
        error "on purpose"
      end,
    }, "first")
    local errors, go_on = new_journey()
    go_on(asked(server), "a request")
    local conn = server.all[1]
    conn:upgrade()
    go_on(function() return client.story[3] end, "the connection")
    assert.equal(1, #errors)
    assert.equal("connecting on_open open", client:told())
    assert.equal("log in", conn:receive_text())
    assert.equal("first", conn:receive_text())
  end)

  it("comes out of run, and a run afterwards finishes the work", function()
    local server = Server.start()
    local echoes, calls = {}, 0
    local ws = WebSocket.new {
      url = server:url "/count?n=100",
      on_message = function(data, _, ws)
        calls = calls + 1
        echoes[#echoes + 1] = data
        if calls == 100 then ws:close() end
        if calls % 10 == 0 then error "on purpose" end
      end,
    }
    ws:connect()
    for _ = 1, 10 do
      local ok, message = pcall(WebSocket.run)
      assert.is_false(ok)
      assert.matches("on purpose\nstack traceback:", message)
    end
    WebSocket.run()
    assert.equal("closed", ws.status)
    assert.same(numbers(1, 100), echoes)
  end)

  it("of memory in a handler is one like any other", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      on_message = function(data)
        if data == "2" then return ("x"):rep(1 << 60) end
      end,
    }
    server:welcome { extra = burst(1, 3) }
    local errors = turn.through(function() return client.messages[3] end, "the messages")
    assert.equal(1, #errors)
  end)

  it("of a handler that recurses without end is one like any other", function()
    local server = Peer.listen()
    local function deeper() return 1 + deeper() end
    local client = watched.connect {
      url = server.url,
      on_message = function(data)
        if data == "2" then deeper() end
      end,
    }
    server:welcome { extra = burst(1, 3) }
    local errors = turn.through(function() return client.messages[3] end, "the messages")
    assert.equal(1, #errors)
    assert.matches("stack overflow", errors[1])
  end)

  it("of a handler that yields says that it may not", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      on_message = function() coroutine.yield() end,
    }
    server:welcome { extra = burst(1, 1) }
    local errors = turn.through(function() return client.messages[1] end, "the message")
    assert.equal(1, #errors)
    assert.matches("yield", errors[1])
  end)
end)

--------------------------------------------------------------------------------------------------

describe("the log", function()
  after_each(function()
    watched.end_all()
    Server.stop_all()
  end)

  it("has a line for each event, with the client's name, and a level", function()
    local server = Peer.listen()
    local lines = {}
    local client = watched.new {
      url = server.url,
      name = "prices",
      log = function(level, line, ws)
        assert.equal("userdata", type(ws))
        lines[#lines + 1] = level .. " " .. line
      end,
    }
    live(client, server)
    client.ws:close()
    client:await_status "closed"
    local refused = ("warning prices: %s: connection refused: nothing listens on that port; "
      .. "next attempt in 0.0 s"):format(server.url)
    assert.same({
      "info prices: connecting",
      refused,
      "info prices: waiting",
      "info prices: connecting",
      ("info prices: connected to %s at 127.0.0.1"):format(server.url),
      "info prices: open",
      "warning prices: connection lost (code 1006); next attempt in 0.0 s",
      "info prices: waiting",
      "info prices: closed",
    }, lines)
  end)

  it("says why the peer closed, without control characters of its making", function()
    local server = Peer.listen()
    local lines = {}
    local client = watched.connect {
      url = server.url,
      log = function(_, line) lines[#lines + 1] = line end,
    }
    local conn = server:welcome()
    client:await "opens"
    conn:close(1001, "going\r\naway\27[2J")
    conn:finish()
    client:await "closes"
    assert.equal("default: closed by the peer (code 1001, going??away?[2J); next attempt in 0.0 s",
      lines[4])
  end)

  it("goes to standard error with log = true, with the time", function()
    local server = Server.start()
    local result = child.run([[
      local WebSocket = require "steadysocket"
      local ws = WebSocket.new { url = arg[1], name = "prices", log = true }
      ws.on_open = function() ws:close() end
      ws:connect()
      WebSocket.run()
    ]], { (server:url():gsub("//", "//user:s3cr3t@")) })
    assert.equal("", result.out)
    assert.equal(0, result.code)
    local lines = {}
    for line in result.err:gmatch "[^\n]+" do
      local time, rest = line:match "^(%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d) (.*)$"
      assert.is_truthy(time, line)
      lines[#lines + 1] = rest
    end
    assert.same({
      "info: prices: connecting",
      ("info: prices: connected to %s at 127.0.0.1"):format(server:url()),
      "info: prices: open",
      "info: prices: closing",
      "info: prices: closed (code 1000)",
      "info: prices: closed",
    }, lines)
  end)

  it("can be turned on and off at run time", function()
    local lines = {}
    local client = watched.connect { url = "ws://127.0.0.1:1/" }
    client:await "errors"
    client.ws.log = function(_, line) lines[#lines + 1] = line end
    client:await("errors", 2)
    client.ws.log = nil
    local count = #lines
    assert(count > 0)
    client:await("errors", 3)
    assert.equal(count, #lines)
  end)

  it("that fails comes out of run, and takes no event from its handler", function()
    local server = Peer.listen()
    local failures = 0
    local client = watched.new {
      url = server.url,
      log = function()
        failures = failures + 1
        error("on purpose " .. failures)
      end,
      on_open = function(_, ws) ws:send "log in" end,
    }
    server:close()
    client.ws:connect()
    local errors, go_on = new_journey()
    go_on(function() return client.errors[1] end, "the failed attempt")
    server:open_again()
    go_on(asked(server), "a request")
    local conn = server.all[1]
    conn:upgrade()
    go_on(function() return client.story[6] end, "the connection")
    go_on(a_few(), "the last lines")
    client.ws.log = nil
    assert.equal("connecting on_error waiting connecting on_open open", client:told())
    assert.equal("log in", conn:receive_text())
    assert.equal(6, #errors)
    for i, message in ipairs(errors) do
      assert.matches("handlers_spec.lua:%d+: on purpose " .. i .. "\nstack traceback:", message)
    end
  end)

  it("that fails where the handler fails too: both errors come out, the log's first", function()
    local client = watched.new { url = "ws://127.0.0.1:1/" }
    client.ws.log = function() error "of the log" end
    client.ws.on_status = function() error "of the handler" end
    client.ws:close()
    local ok, message = pcall(WebSocket.run)
    assert.is_false(ok)
    assert.matches("of the log\nstack traceback:", message)
    ok, message = pcall(WebSocket.run)
    assert.is_false(ok)
    assert.matches("of the handler\nstack traceback:", message)
    WebSocket.run()
    client.story[1] = "closed" -- for the end of the test
  end)
end)
