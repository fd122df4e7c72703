local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local socket = require "socket"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"

local SLACK = 1 -- seconds that a heartbeat may be late, issue 3

local meet = watched.meet

local function is_silent(conn, seconds)
  turn.never(function() return conn:has_input() end, "something from the client", seconds)
end

-- The client finds the peer dead: on_error, then on_close, and then it waits.
local function is_lost(client, url)
  local event = client:await "errors"
  assert.equal("heartbeat", event.kind)
  local text = "the peer is silent: it does not answer the heartbeat"
  assert.equal(("prices: %s: %s"):format(url, text), event.message)
  assert.equal(event.message, client.ws.last_error)
  assert.is_true(event.will_reconnect)
  assert.equal(watched.delay, event.delay)
  local close = client:await "closes"
  assert.same(
    { 1006, "", false, "us", true },
    { close.code, close.reason, close.clean, close.by, close.will_reconnect }
  )
  assert.truthy(client:told():find "^connecting on_open open on_error on_close waiting")
end

describe("the heartbeat", function()
  after_each(function()
    Server.stop_all()
    watched.end_all()
  end)

  it("sends a ping after an interval of silence, and the next one an interval later", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 5 } }
    local start = socket.gettime()
    for number = 1, 3 do
      local payload = conn:receive_ping()
      assert.equal("steady" .. (">I8"):pack(number), payload)
      conn:pong(payload)
    end
    local took = socket.gettime() - start
    assert.is_true(took > 0.14, ("three intervals took %g s"):format(took))
    turn.till(function() return client.ws:stats().pongs == 3 end, "the last pong")
    assert.equal(3, client.ws:stats().pings)
    assert.same({}, client.errors)
  end)

  it("takes any byte for life, be it a part of a frame", function()
    local client, conn = meet { heartbeat = { interval = 1, timeout = 5 } }
    local bytes = Peer.encode("text", ("x"):rep(100))
    for position = 1, #bytes do
      conn:send(bytes:sub(position, position))
      local till = socket.gettime() + 0.012
      turn.till(function() return socket.gettime() > till end, "a moment to pass")
    end
    assert.equal(("x"):rep(100), client:await("messages").data)
    assert.equal(0, client.ws:stats().pings)
  end)

  it("takes what the peer sends for an answer, when it does not know pongs", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 1 } }
    for number = 1, 4 do
      conn:receive_ping()
      conn:text(tostring(number))
    end
    client:await("messages", 4)
    assert.same({}, client.errors)
  end)

  it("drops a peer that is silent, and the session goes on", function()
    local client, conn, server = meet { heartbeat = { interval = 0.1, timeout = 0.1 } }
    local watch = stopwatch.start()
    is_lost(client, server.url)
    local took, own = watch()
    assert.is_true(took > 0.19 and own < 0.2 + SLACK, ("it took %g s"):format(took))
    conn:receive_ping()
    conn:closed()

    client.ws:send "still here"
    conn = server:welcome()
    assert.equal("still here", conn:receive_text())
    assert.is_true(client:await("opens", 2).reconnected)
  end)

  it("notices a server that hangs, and finds it again", function()
    local server = Server.start()
    local client = watched.connect {
      url = server:url(),
      name = "prices",
      heartbeat = { interval = 0.2, timeout = 0.2 },
      connect_timeout = 0.3,
    }
    client:await "opens"
    client.ws:send "a sign of life"
    client:await "messages"
    server:freeze()
    local watch = stopwatch.start()
    client:await "closes"
    local took, own = watch()
    assert.is_true(took > 0.19 and own < 0.4 + SLACK, ("it took %g s"):format(took))
    assert.equal("heartbeat", client.errors[1].kind)
    client:await("errors", 2) -- an attempt
    server:thaw()
    client:await("opens", 2)
    client.ws:send "hello again"
    client:await("messages", 2)
    assert.equal("hello again", client.messages[2].data)
  end)

  it("is not kept off by what we send", function()
    local client, _, server = meet { heartbeat = { interval = 0.1, timeout = 0.1 } }
    turn.till(function()
      client.ws:send "anybody there?"
      return client.closes[1]
    end, "the loss")
    is_lost(client, server.url)
  end)

  it("notices a peer that does not even read", function()
    local client, _, server = meet {
      heartbeat = { interval = 0.1, timeout = 0.1 },
      queue = { max_bytes = 1 << 26 },
    }
    local payload = ("x"):rep(1 << 20)
    for _ = 1, 32 do client.ws:send(payload, "binary") end
    is_lost(client, server.url)
  end)

  it("lets a confirming ping stand for its own", function()
    local client, conn = meet { confirm = true, heartbeat = { interval = 0.1, timeout = 0.3 } }
    is_silent(conn, 0.02)
    client.ws:send "1"
    assert.equal("1", conn:receive_text())
    conn:receive_ping()
    local start = socket.gettime()
    turn.till(function() return client.closes[1] end, "the loss")
    assert.is_true(socket.gettime() - start > 0.3)
    assert.equal(1, client.ws:stats().pings)
    assert.equal("heartbeat", client.errors[1].kind)
  end)

  it("is off with heartbeat = false", function()
    local client, conn = meet { heartbeat = false }
    is_silent(conn, 0.1)
    assert.same({}, client.closes)
    assert.is_nil(client.ws.latency)
  end)

  it("is every 20 seconds without the option, and with heartbeat = true", function()
    for _, value in ipairs { "none", true } do
      local _, conn = meet { heartbeat = value ~= "none" or nil }
      is_silent(conn, 0.05)
    end
  end)

  it("rests while the client is paused, and begins anew after that", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 5 } }
    client.ws:pause()
    is_silent(conn, 0.15)
    local start = socket.gettime()
    client.ws:resume()
    conn:pong(conn:receive_ping())
    assert.is_true(socket.gettime() - start > 0.045)
    conn:pong(conn:receive_ping())
    assert.same({}, client.errors)
  end)

  it("forgets a question that was under way when the client was paused", function()
    local client, conn = meet { heartbeat = { interval = 0.1, timeout = 0.1 } }
    local ping = conn:receive_ping()
    client.ws:pause()
    is_silent(conn, 0.25)
    client.ws:resume()
    conn:pong(ping)
    conn:pong(conn:receive_ping())
    assert.same({}, client.errors)
  end)

  it("hears what came while a handler kept the loop from reading, however long", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 0.05 } }
    conn:pong(conn:receive_ping())
    local ping = conn:receive_ping()
    WebSocket.after(0, function()
      conn:pong(ping)
      socket.sleep(0.2)
      WebSocket.after(0, function() end) -- at which libuv learns how late it is
    end)
    conn:pong(conn:receive_ping())
    assert.same({}, client.errors)
  end)

  it("rests while nobody takes what came", function()
    local server = Peer.listen()
    local client = watched.new {
      url = server.url,
      heartbeat = { interval = 0.05, timeout = 5 },
      inbox = { max_bytes = 4 },
    }
    client.ws.on_message = nil
    client.ws:connect()
    local conn = server:welcome()
    conn:text "four"
    is_silent(conn, 0.15)
    assert.equal("four", (client.ws:receive(0)))
    conn:pong(conn:receive_ping())
    assert.same({}, client.errors)
  end)

  it("rests while the client is closing", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 0.05 }, close_timeout = 0.2 }
    client.ws:close()
    assert.equal(1000, conn:receive_close())
    is_silent(conn, 0.15)
    client:await_status "closed"
    assert.same({}, client.errors)
  end)

  it("keeps a silent client alive, and no client that is closed", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 1 } }
    conn:pong(conn:receive_ping())
    client.ws:close()
    conn:receive_close()
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.is_false(WebSocket.step(0))
  end)

  it("begins when the connection does, not with the attempt", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      heartbeat = { interval = 0.05, timeout = 0.05 },
    }
    local conn = server:accept()
    conn:request()
    turn.never(function() return client.closes[1] or client.errors[1] end, "a failure", 0.15)
    conn:upgrade()
    local start = socket.gettime()
    conn:receive_ping()
    assert.is_true(socket.gettime() - start > 0.045)
  end)
end)

describe("the heartbeat with a message and a reply", function()
  after_each(watched.end_all)

  local function texts(changes)
    local heartbeat = { message = "ping", reply = "pong", interval = 0.05, timeout = 5 }
    for name, value in pairs(changes or {}) do heartbeat[name] = value end
    return { heartbeat = heartbeat }
  end

  it("asks and is answered by texts, of which on_message gets none", function()
    local client, conn = meet(texts())
    for _ = 1, 3 do
      assert.equal("ping", conn:receive_text())
      conn:text "pong"
    end
    conn:text "news"
    assert.equal("news", client:await("messages").data)
    assert.equal(1, #client.messages)
    assert.equal(1, client.ws:stats().received)
    assert.same({}, client.errors)
    assert.equal(0, client.ws:stats().pings)
  end)

  it("goes on asking a peer that answers at once", function()
    local client, conn = meet(texts { interval = 0.02, timeout = 0.2 })
    for _ = 1, 15 do
      assert.equal("ping", conn:receive_text())
      conn:text "pong"
    end
    assert.same({}, client.errors)
    assert.same({}, client.closes)
  end)

  it("asks each interval on a connection that is never silent, too", function()
    local asked, watch = 0, stopwatch.start()
    local client, conn = meet(texts { interval = 0.1 })
    turn.till(function()
      conn:text "news"
      for _, frame in ipairs(conn:frames()) do
        assert.equal("ping", frame.payload)
        asked = asked + 1
        conn:text "pong"
      end
      return asked == 4
    end, "four questions", 2)
    assert.is_true(watch() > 0.39)
    assert.is_true(client.ws.latency < 0.1 + SLACK)
    assert.same({}, client.errors)
  end)

  it("is lost after the timeout when the peer falls silent, however often it was asked meanwhile", function()
    local watch = stopwatch.start()
    local client, conn, server = meet(texts { interval = 0.05, timeout = 0.3 })
    is_lost(client, server.url)
    assert.is_true(watch() > 0.34)
    assert.is_true(#conn:frames() >= 2)
  end)

  it("takes any message for life", function()
    local client, conn = meet(texts())
    for number = 1, 4 do
      assert.equal("ping", conn:receive_text())
      conn:text(tostring(number))
    end
    client:await("messages", 4)
    assert.same({}, client.errors)
  end)

  it("drops a peer that does not reply", function()
    local client, conn, server = meet(texts { timeout = 0.05 })
    is_lost(client, server.url)
    assert.equal("ping", conn:receive_text())
    server:welcome()
    client:await("opens", 2)
  end)

  it("hides the exact reply only, and as text only", function()
    local client, conn = meet(texts { interval = 5 })
    for _, text in ipairs { "pong", "pong ", "Pong", "pon", "" } do conn:text(text) end
    conn:binary "pong"
    client:await("messages", 5)
    turn.never(function() return client.messages[6] end, "another message", 0.02)
    local seen = {}
    for position, message in ipairs(client.messages) do
      seen[position] = message.kind .. " " .. message.data
    end
    assert.same({ "text pong ", "text Pong", "text pon", "text ", "binary pong" }, seen)
  end)

  it("does not hide it when the heartbeat has no texts", function()
    local client, conn = meet { heartbeat = { interval = 5 } }
    conn:text "pong"
    assert.equal("pong", client:await("messages").data)
  end)

  it("goes ahead of what is queued, and leaves the queue and its figures alone", function()
    local client, conn = meet(texts())
    assert.equal("ping", conn:receive_text())
    conn:text "pong"
    assert.equal(0, client.ws.queued)
    assert.equal(0, client.ws:stats().accepted)
    assert.equal(0, client.ws:stats().sent)
  end)

  it("measures the latency", function()
    local client, conn = meet(texts { interval = 1 }) -- so that nobody asks again at once
    assert.equal("ping", conn:receive_text())
    local asked = socket.gettime()
    turn.till(function() return socket.gettime() - asked > 0.1 end, "a moment to pass")
    conn:text "pong"
    turn.till(function() return client.ws.latency end, "the latency")
    assert.is_true(client.ws.latency > 0.09 and client.ws.latency < 0.1 + SLACK)
    local latency = client.ws.latency
    conn:text "pong" -- nobody asked
    conn:text "news"
    client:await "messages"
    assert.equal(latency, client.ws.latency)
  end)

  it("works beside confirmation", function()
    local options = texts()
    options.confirm = true
    local client, conn = meet(options)
    client.ws:send "1"
    assert.equal("1", conn:receive_text())
    local ping = conn:receive_ping()
    conn:text "a sign of life"
    assert.equal("ping", conn:receive_text())
    assert.equal(1, client.ws.unconfirmed)
    conn:text "pong"
    conn:pong(ping)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal("ping", conn:receive_text())
    assert.same({}, client.errors)
  end)
end)

describe("latency", function()
  after_each(watched.end_all)

  it("is the time from a ping to its own pong", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 5 } }
    assert.is_nil(client.ws.latency)
    local payload = conn:receive_ping()
    local asked = socket.gettime()
    turn.till(function() return socket.gettime() - asked > 0.1 end, "a moment to pass")
    conn:pong "another"
    conn:pong(payload)
    turn.till(function() return client.ws.latency end, "the latency")
    local latency = client.ws.latency
    assert.is_true(latency > 0.09 and latency < 0.1 + SLACK, ("it is %g s"):format(latency))
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.latency ~= latency end, "the next latency")
    assert.is_true(client.ws.latency < 0.09)
  end)

  it("is known by confirming pings as well", function()
    local client, conn = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.latency end, "the latency")
    assert.is_true(client.ws.latency >= 0 and client.ws.latency < SLACK)
  end)

  it("stays when the connection is lost", function()
    local client, conn = meet { heartbeat = { interval = 0.05, timeout = 5 } }
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.latency end, "the latency")
    conn:reset()
    client:await "closes"
    assert.is_number(client.ws.latency)
  end)
end)

describe("ping() by hand", function()
  after_each(watched.end_all)

  local function watch_pongs(client)
    local pongs = {}
    client.ws.on_pong = function(data, ws)
      assert.equal(client.ws, ws)
      pongs[#pongs + 1] = data
    end
    return pongs
  end

  it("is answered by on_pong with the same data, in order", function()
    local client, conn = meet {}
    local pongs = watch_pongs(client)
    assert.is_true(client.ws:ping "one")
    assert.is_true(client.ws:ping())
    assert.is_true(client.ws:ping(("x"):rep(125)))
    for _ = 1, 3 do conn:pong(conn:receive_ping()) end
    turn.till(function() return #pongs == 3 end, "the pongs")
    assert.same({ "one", "", ("x"):rep(125) }, pongs)
    local stats = client.ws:stats()
    assert.same({ 3, 3 }, { stats.pings, stats.pongs })
    assert.is_nil(client.ws.latency)
  end)

  it("goes ahead of what is queued", function()
    local client, conn = meet {}
    client.ws:send "1"
    client.ws:ping "now"
    assert.equal("now", conn:receive_ping())
    assert.equal("1", conn:receive_text())
  end)

  it("leaves our own pings out of on_pong, be they for life or for confirmation", function()
    local client, conn = meet { confirm = true, heartbeat = { interval = 0.05, timeout = 5 } }
    local pongs = watch_pongs(client)
    client.ws:send "1"
    conn:receive_text()
    for _ = 1, 3 do conn:pong(conn:receive_ping()) end
    conn:pong "by itself"
    turn.till(function() return pongs[1] end, "a pong")
    assert.same({ "by itself" }, pongs)
    assert.equal(4, client.ws:stats().pongs)
  end)

  it("gives pongs that nobody asked for as well", function()
    local client, conn = meet {}
    local pongs = watch_pongs(client)
    conn:pong ""
    turn.till(function() return pongs[1] end, "a pong")
    assert.same({ "" }, pongs)
  end)

  it("works with a real server", function()
    local server = Server.start()
    local client = watched.connect { url = server:url() }
    client:await "opens"
    local pongs = watch_pongs(client)
    client.ws:ping "hello"
    turn.till(function() return pongs[1] end, "the pong")
    assert.same({ "hello" }, pongs)
    server:stop()
  end)

  it("is possible in on_open", function()
    local _, conn = meet { on_open = function(_, ws) assert.is_true(ws:ping "first") end }
    assert.equal("first", conn:receive_ping())
  end)

  it("needs an open connection", function()
    local server = Peer.listen()
    local client = watched.new { url = server.url, name = "prices" }
    local function refused()
      local done, message, code = client.ws:ping()
      assert.same({ nil, "prices: is not connected", "not_connected" }, { done, message, code })
    end
    refused()
    client.ws:connect()
    refused()
    local conn = server:welcome()
    client:await "opens"
    client.ws:close()
    refused()
    conn:receive_close()
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    refused()
  end)

  it("has at most 125 bytes, which must be a string", function()
    local client = meet {}
    assert.error_matches(function() client.ws:ping(("x"):rep(126)) end, "at most 125 bytes")
    assert.error_matches(function() client.ws:ping {} end, "string expected")
  end)
end)

describe("the heartbeat's options", function()
  it("are checked", function()
    local function refused(heartbeat, text)
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", heartbeat = heartbeat })
      assert.is_false(ok)
      assert.truthy(message:find(text, 1, true), message)
    end
    refused({ interval = 0 }, "option 'heartbeat.interval' is 0")
    refused({ interval = -1 }, "option 'heartbeat.interval' is -1")
    refused({ timeout = 0 / 0 }, "option 'heartbeat.timeout' is ")
    refused({ timeout = math.huge }, "option 'heartbeat.timeout' is inf")
    refused({ interval = "20" }, "option 'heartbeat.interval' is a string, number expected")
    refused({ message = "ping" }, "heartbeat.message and heartbeat.reply go together")
    refused({ reply = "pong" }, "heartbeat.message and heartbeat.reply go together")
    refused({ message = 1, reply = "pong" }, "option 'heartbeat.message' is a number")
    refused({ message = "\255", reply = "pong" }, "option 'heartbeat.message' is not UTF-8")
    refused({ message = "ping", reply = "\255" }, "option 'heartbeat.reply' is not UTF-8")
    refused({ intervall = 1 }, "heartbeat.intervall")
    refused(20, "option 'heartbeat' is a number, table or boolean expected")
    refused("ping", "option 'heartbeat' is a string, table or boolean expected")
  end)
end)
