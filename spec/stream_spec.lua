local Peer = require "support.peer"
local Server = require "support.server"
local chance = require "support.chance"
local socket = require "socket"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"

local meet = watched.meet

-- With a server that takes little at a time.
local function meet_narrow(options)
  return meet(options, Peer.listen { narrow = true })
end

-- An on_close event, with delay as the configured one, when there is one.
local function check_close(event, expected)
  assert.equal(expected.code, event.code)
  assert.equal(expected.reason or "", event.reason)
  assert.equal(expected.by, event.by)
  assert.equal(expected.clean, event.clean)
  local again = expected.will_reconnect ~= false
  assert.equal(again, event.will_reconnect)
  assert.equal(again and watched.delay or nil, event.delay)
end

local LOST = { code = 1006, by = "network", clean = false }

-- Goes on after a loss, with what was queued meanwhile.
local function comes_back(client, server)
  client.ws:send "after the loss"
  local conn = server:welcome()
  client:await("opens", 2)
  assert.equal("after the loss", conn:receive_text())
  conn:text "welcome back"
  turn.till(function()
    local last = client.messages[#client.messages]
    return last and last.data == "welcome back"
  end, "a message on the second connection")
  assert.is_true(client.opens[2].reconnected)
  assert.equal(2, server:arrivals())
  return conn
end

-- How much of a stretch of time this process was computing, from 0 to 1.
local function busy(wait)
  local clock, time = os.clock(), socket.gettime()
  wait()
  return (os.clock() - clock) / (socket.gettime() - time)
end

describe("an open connection that ends without a close frame", function()
  after_each(watched.end_all)

  local ENDS = {
    ["in good order"] = function(conn) conn:finish() end,
    ["by half, when the server sends no more"] = function(conn) conn.raw:shutdown "send" end,
    ["with a reset"] = function(conn) conn:reset() end,
  }
  for name, finish in pairs(ENDS) do
    it(name .. " is lost, and there is another", function()
      local client, conn, server = meet()
      finish(conn)
      check_close(client:await "closes", LOST)
      assert.equal("connecting on_open open on_close waiting", client:told(1))
      comes_back(client, server)
      assert.same({}, client.errors)
    end)

    it(name .. " in the middle of a frame is lost", function()
      local client, conn, server = meet()
      conn:send(Peer.encode("text", "cut short"):sub(1, 5))
      turn.once()
      finish(conn)
      check_close(client:await "closes", LOST)
      comes_back(client, server)
      assert.same({}, client.errors)
    end)

    it(name .. " while we send is lost, and what had not gone out is sent again", function()
      local client, conn, server = meet_narrow() -- or the system might take all that is sent
      local size, count = 64 * 1024, 120
      for number = 1, count do
        assert(client.ws:send((">I4"):pack(number):rep(size // 4), "binary"))
      end
      local first = conn:receive_binary()
      assert.equal(1, (">I4"):unpack(first))
      finish(conn)
      check_close(client:await "closes", LOST)
      local left = client.ws.queued -- none, where all had gone out before the client heard of the end
      conn = server:welcome()
      for number = count - left + 1, count do
        assert.equal(number, ((">I4"):unpack(conn:receive_binary())), "a message was left out")
      end
      client:await("opens", 2)
      assert.equal(0, client.ws.queued)
      assert.same({}, client.errors)
    end)
  end

  it("gives up what the server said before", function()
    local client, conn = meet()
    for number = 1, 100 do conn:text(tostring(number)) end
    conn:finish()
    client:await "closes"
    assert.equal(100, #client.messages)
    assert.equal(
      "connecting on_open open " .. ("on_message "):rep(100) .. "on_close waiting",
      client:told(1)
    )
  end)

  it("right after the upgrade is a connection that was open", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    server:welcome():finish()
    check_close(client:await "closes", LOST)
    assert.equal("connecting on_open open on_close waiting", client:told(1))
    comes_back(client, server)
  end)

  it("is the end of a client that shall not reconnect", function()
    local client, conn, server = meet { reconnect = false }
    conn:finish()
    check_close(client:await "closes", {
      code = 1006, by = "network", clean = false, will_reconnect = false,
    })
    client:await_status "closed"
    turn.never(function()
      return server:arrivals() > 1
    end, "another connection", 5 * watched.delay)
    assert.equal("connecting on_open open on_close closed", client:told())
  end)

  it("does not spin while the server takes nothing and has ended its side", function()
    local client, conn, server = meet_narrow()
    client.ws:send(("x"):rep(8 << 20), "binary")
    client:await_stuck()
    conn.raw:shutdown "send"
    local share = busy(function()
      check_close(client:await "closes", LOST)
      turn.never(function()
        return server:arrivals() > 2
      end, "a third connection", 0.3)
    end)
    assert.is_true(share < 0.6, ("computing %.0f %% of the time"):format(share * 100))
  end)

  it("does not spin while the server takes nothing", function()
    local client, conn = meet_narrow()
    client.ws:send(("x"):rep(8 << 20), "binary")
    client:await_stuck()
    local share = busy(function()
      turn.never(function()
        return #client.closes > 0
      end, "the end", 0.5)
    end)
    assert.is_true(share < 0.6, ("computing %.0f %% of the time"):format(share * 100))
    conn:cut()
  end)

  it("again and again leads to no two connections at a time", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    for round = 1, 20 do
      local conn = server:welcome()
      client:await("opens", round)
      assert.equal(round, server:arrivals())
      if round % 2 == 0 then conn:finish() else conn:reset() end
      client:await("closes", round)
    end
    assert.same({}, client.errors)
  end)
end)

describe("a server's close frame", function()
  after_each(watched.end_all)

  local CASES = {
    { 1000, "" },
    { 1000, "bye" },
    { 1001, "going away" },
    { 1011, ("r"):rep(123) },
    { 1012, "service restart" },
    { 1013, "try again later" },
    { 1014, "bad gateway" },
    { 3000, "ünïcödé" },
    { 4999, "x" },
  }
  for _, case in ipairs(CASES) do
    local code, reason = table.unpack(case)
    it(("of %d, %q is answered and told"):format(code, reason:sub(1, 20)), function()
      local client, conn, server = meet()
      conn:close(code, reason)
      assert.equal(code, (conn:receive_close()))
      assert.equal("", conn.inbox)
      assert.is_falsy(conn.ended) -- ending the connection is the server's part
      conn:finish()
      check_close(client:await "closes", {
        code = code, reason = reason, by = "peer", clean = true,
      })
      assert.equal("connecting on_open open on_close waiting", client:told(1))
      comes_back(client, server)
      assert.same({}, client.errors)
    end)
  end

  it("without a code is 1005, and answered without one", function()
    local client, conn, server = meet()
    conn:close()
    assert.is_nil((conn:receive_close()))
    conn:finish()
    check_close(client:await "closes", { code = 1005, by = "peer", clean = true })
    comes_back(client, server)
  end)

  it("with the end of the connection in the same segment counts", function()
    local client, conn, server = meet()
    conn:close(1001, "now")
    conn:finish()
    local event = client:await "closes"
    assert.equal(1001, event.code)
    assert.equal("now", event.reason)
    assert.equal("peer", event.by)
    comes_back(client, server)
  end)

  it("comes after the messages before it, and nothing comes after it", function()
    local client, conn = meet()
    local close = Peer.encode("close", (">I2"):pack(1000))
    conn:send(Peer.encode("text", "one") .. close .. Peer.encode("text", "no"))
    conn:receive_close()
    conn:finish()
    client:await "closes"
    assert.equal("connecting on_open open on_message on_close waiting", client:told(1))
  end)

  it("keeps what is queued for the next connection", function()
    local client, conn, server = meet()
    conn:close(1001)
    conn:receive_close()
    assert.is_true(client.ws:send "queued")
    turn.once()
    assert.equal("", conn.inbox)
    conn:finish()
    client:await "closes"
    conn = server:welcome()
    assert.equal("queued", conn:receive_text())
  end)

  it("without the end of TCP ends the connection within about a second", function()
    local client, conn, server = meet()
    local watch = stopwatch.start()
    conn:close(1000)
    conn:receive_close()
    check_close(client:await "closes", { code = 1000, by = "peer", clean = true })
    local took, own = watch()
    assert.is_true(took > 0.5, "the server had no time to end TCP")
    assert.is_true(own < 2, "that took too long")
    conn:closed()
    comes_back(client, server)
  end)

  it("while a large message of ours is under way waits for that frame", function()
    local client, conn = meet_narrow()
    local data = ("0123456789abcdef"):rep(1 << 18)
    client.ws:send(data, "binary")
    client:await_stuck()
    conn:close(1001)
    assert.is_true(data == conn:receive_binary())
    assert.equal(1001, (conn:receive_close()))
    conn:finish()
    check_close(client:await "closes", { code = 1001, by = "peer", clean = true })
  end)
end)

describe("close()", function()
  after_each(watched.end_all)

  it("sends what is queued, then the code and the reason", function()
    local client, conn = meet()
    for number = 1, 50 do client.ws:send("message " .. number) end
    assert.is_true(client.ws:close(4001, "done for today"))
    assert.equal("closing", client.ws.status)
    local ok, _, code = client.ws:send "too late"
    assert.is_nil(ok)
    assert.equal("closed", code)
    for number = 1, 50 do assert.equal("message " .. number, conn:receive_text()) end
    assert.same({ 4001, "done for today" }, { conn:receive_close() })
    conn:close(4001, "bye then")
    conn:finish()
    check_close(client:await "closes", {
      code = 4001, reason = "bye then", by = "us", clean = true, will_reconnect = false,
    })
    client:await_status "closed"
    assert.equal("connecting on_open open closing on_close closed", client:told())
    assert.same({}, client.errors)
  end)

  it("sends 1000 and no reason unless told otherwise", function()
    local client, conn = meet()
    client.ws:close()
    assert.same({ 1000, "" }, { conn:receive_close() })
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.equal(1000, client.closes[1].code)
  end)

  it("delivers what the server still says before its own close frame", function()
    local client, conn = meet()
    client.ws:close()
    conn:receive_close()
    conn:text "one more thing"
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.equal("one more thing", client.messages[1].data)
    assert.is_true(client.closes[1].clean)
  end)

  it("gives a server that does not answer close_timeout, then hangs up", function()
    local client, conn, server = meet { close_timeout = 0.2 }
    local start = socket.gettime()
    client.ws:close(1000)
    conn:receive_close()
    check_close(client:await "closes", {
      code = 1006, by = "us", clean = false, will_reconnect = false,
    })
    assert.is_true(socket.gettime() - start > 0.19)
    assert.equal("connecting on_open open closing on_close closed", client:told())
    conn:closed()
    assert.equal(1, server:arrivals())
  end)

  it("gives a server that reads nothing close_timeout too", function()
    local client, conn = meet_narrow { close_timeout = 0.2 }
    client.ws:send(("x"):rep(8 << 20), "binary")
    client:await_stuck()
    client.ws:close()
    local share = busy(function()
      check_close(client:await "closes", {
        code = 1006, by = "us", clean = false, will_reconnect = false,
      })
      client:await_status "closed"
    end)
    assert.is_true(share < 0.6, ("computing %.0f %% of the time"):format(share * 100))
    turn.till(function()
      return conn:has_input() and conn.ended
    end, "the connection to end")
    assert.equal(0, client.ws.queued)
  end)

  it("gives a server that answers and does not end TCP about a second", function()
    local client, conn = meet()
    local watch = stopwatch.start()
    client.ws:close(1000)
    conn:receive_close()
    conn:close(1000)
    check_close(client:await "closes", {
      code = 1000, by = "us", clean = true, will_reconnect = false,
    })
    assert.is_true(select(2, watch()) < 2, "that took too long")
    client:await_status "closed"
    conn:closed()
  end)

  it("that crosses the server's close frame is answered", function()
    local client, conn = meet()
    client.ws:close(3001, "ours")
    conn:close(3002, "theirs")
    assert.same({ 3001, "ours" }, { conn:receive_close() })
    conn:finish()
    client:await_status "closed"
    assert.equal(1, #client.closes)
    assert.is_true(client.closes[1].clean)
    assert.equal("", conn.inbox)
  end)

  it("meets a server that hangs up instead of an answer", function()
    local client, conn = meet()
    client.ws:close(1000)
    conn:receive_close()
    conn:finish()
    client:await_status "closed"
    local event = client.closes[1]
    assert.same({ 1006, false, "us", false }, {
      event.code, event.clean, event.by, event.will_reconnect,
    })
    assert.same({}, client.errors)
  end)

  it("twice is true, and the first one counts", function()
    local client, conn = meet()
    assert.is_true(client.ws:close(4001))
    assert.is_true(client.ws:close(4002))
    assert.same({ 4001, "" }, { conn:receive_close() })
  end)

  it("in on_message ends the connection behind what was sent before", function()
    local client, conn = meet {
      on_message = function(data, _, ws)
        ws:send("got " .. data)
        ws:close(4000)
      end,
    }
    conn:text "it"
    assert.equal("got it", conn:receive_text())
    assert.same({ 4000, "" }, { conn:receive_close() })
    conn:close(4000)
    conn:finish()
    client:await_status "closed"
  end)
end)

describe("a server that breaks the protocol", function()
  after_each(watched.end_all)

  local CASES = {
    ["by a masked frame"] = {
      Peer.encode("text", "masked", { mask = "\1\2\3\4" }), "protocol", 1002, "masked frame",
    },
    ["by a reserved opcode"] = { Peer.encode(3, "x"), "protocol", 1002, "reserved opcode" },
    ["by a reserved bit"] = {
      Peer.encode("text", "x", { rsv = 4 }), "protocol", 1002, "reserved bit",
    },
    ["by a long ping"] = {
      Peer.encode("ping", ("x"):rep(126)), "protocol", 1002, "more than 125 bytes",
    },
    ["by half of a ping"] = {
      Peer.encode("ping", "", { fin = false }), "protocol", 1002, "fragmented control frame",
    },
    ["by a continuation of nothing"] = {
      Peer.encode("continuation", "x"), "protocol", 1002, "no message is under way",
    },
    ["by a message in a message"] = {
      Peer.encode("text", "x", { fin = false }) .. Peer.encode("text", "y"),
      "protocol", 1002, "inside a fragmented one",
    },
    ["by text that is not UTF-8"] = {
      Peer.encode("text", "ok \xFF"), "protocol", 1007, "not UTF%-8",
    },
    ["by text that ends inside a character"] = {
      Peer.encode("text", "ok \xE2\x82"), "protocol", 1007, "inside a character",
    },
    ["by a close code that nobody may send"] = {
      Peer.encode("close", "\3\237"), "protocol", 1002, "close code", -- 1005
    },
    ["by a close frame of one byte"] = {
      Peer.encode("close", "\3"), "protocol", 1002, "half a code",
    },
    ["by a message that is too large"] = {
      Peer.encode("binary", ("x"):rep(1001)), "too_large", 1009, "max_message_size",
    },
    ["by fragments that are too large together"] = {
      Peer.encode("binary", ("x"):rep(600), { fin = false })
        .. Peer.encode("continuation", ("x"):rep(401)),
      "too_large", 1009, "max_message_size",
    },
    ["by the header of a huge message"] = {
      "\130\127\0\0\255\255\255\255\255\255", "too_large", 1009, "max_message_size",
    },
  }
  for name, case in pairs(CASES) do
    local bytes, kind, code, why = table.unpack(case)
    it(name .. (" is told so (%d), and there is another connection"):format(code), function()
      local client, conn, server = meet { max_message_size = 1000, name = "prices" }
      conn:send(Peer.encode("text", "before") .. bytes .. Peer.encode("text", "behind"))
      assert.equal(code, (conn:receive_close()))
      conn:finish()
      local event = client:await "errors"
      assert.equal(kind, event.kind)
      local message = event.message:match "^prices: ws://127.0.0.1:%d+/: (.*)$"
      assert.truthy(message and message:find(why), event.message)
      assert.is_true(event.will_reconnect)
      assert.equal(watched.delay, event.delay)
      check_close(client:await "closes", { code = code, by = "us", clean = false })
      assert.equal("connecting on_open open on_message on_error on_close waiting", client:told(1))
      assert.equal("before", client.messages[1].data)
      comes_back(client, server)
      assert.equal(1, #client.errors)
    end)
  end

  it("and does not end TCP is left within about a second", function()
    local client, conn = meet()
    local watch = stopwatch.start()
    conn:send(Peer.encode(3, "x"))
    conn:receive_close()
    client:await "closes"
    assert.is_true(select(2, watch()) < 2)
    conn:closed()
  end)

  it("while it floods us is left all the same", function()
    local client, conn = meet()
    conn:send(Peer.encode(3, "x"))
    local flood = ("x"):rep(1 << 16)
    turn.till(function()
      conn.socket:send(flood)
      return client.closes[1]
    end, "the end of the connection")
    assert.equal(1002, client.closes[1].code)
  end)

  it("exactly at max_message_size does not break it", function()
    local client, conn = meet { max_message_size = 1000 }
    conn:binary(("x"):rep(1000))
    assert.equal(1000, #client:await("messages").data)
    assert.same({}, client.errors)
  end)
end)

describe("a server's pings", function()
  after_each(watched.end_all)

  it("are answered with what they carry", function()
    local _, conn = meet()
    for _, payload in ipairs { "", "x", ("p"):rep(125), "\0\255" } do
      conn:ping(payload)
      local frame = conn:receive_frame()
      assert.equal(Peer.OPCODE.pong, frame.opcode)
      assert.equal(payload, frame.payload)
      assert.is_true(frame.masked)
    end
  end)

  it("are answered each and in order, fifty in one segment", function()
    local client, conn = meet()
    local pings = {}
    for number = 1, 50 do pings[number] = Peer.encode("ping", "ping " .. number) end
    conn:send(table.concat(pings))
    for number = 1, 50 do
      local frame = conn:receive_frame()
      assert.equal(Peer.OPCODE.pong, frame.opcode)
      assert.equal("ping " .. number, frame.payload)
    end
    assert.equal("connecting on_open open", client:told())
  end)

  it("are answered between the fragments of a message", function()
    local client, conn = meet()
    conn:send(Peer.encode("text", "one ", { fin = false }) .. Peer.encode("ping", "here?"))
    assert.equal("here?", conn:receive_frame().payload)
    conn:send(Peer.encode("continuation", "two"))
    assert.equal("one two", client:await("messages").data)
  end)

  it("are answered behind the frame that is under way, and before the other messages", function()
    local client, conn = meet_narrow()
    for _ = 1, 8 do client.ws:send(("x"):rep(1 << 20), "binary") end
    client:await_stuck()
    conn:ping "urgent"
    for _ = 1, 5 do turn.once() end
    local position
    for number = 1, 9 do
      local frame = conn:receive_frame(10)
      if frame.opcode == Peer.OPCODE.pong then position = number end
    end
    assert.is_true(position < 9, "the pong came last")
  end)

  describe("in a flood whose answers nobody reads", function()
    local PING = Peer.encode("ping", ("p"):rep(125))
    local PONG_SIZE = #PING + 4 -- the mask

    -- Sends pings until the client takes no more; returns how many bytes it took.
    local function flood(conn)
      local pings, sent = PING:rep(1000), 0
      return turn.till_still(function()
        local last, _, part = conn.socket:send(pings, sent % #pings + 1)
        sent = sent + math.max((last or part or 0) - sent % #pings, 0)
        assert.is_true(sent < 64 << 20, "the client's memory fills")
        return sent
      end, "the client to stop reading")
    end

    it("make us stop reading, and go on later", function()
      local client, conn = meet()
      local share
      local sent = flood(conn)
      share = busy(function()
        turn.never(function()
          return #client.closes > 0
        end, "the end", 0.2)
      end)
      assert.is_true(share < 0.6, ("computing %.0f %% of the time"):format(share * 100))
      local answers = sent // #PING * PONG_SIZE
      turn.till(function()
        if conn:has_input() then
          answers = answers - #conn.inbox
          conn.inbox = ""
        end
        return answers <= 0
      end, "the other answers", 10)
      conn:send(PING:sub(sent % #PING + 1) .. Peer.encode("text", "and on"))
      assert.equal("and on", client:await("messages").data)
    end)

    it("do not hide that the connection is reset", function()
      local client, conn, server = meet()
      flood(conn)
      conn:reset()
      check_close(client:await "closes", LOST)
      comes_back(client, server)
    end)
  end)
end)

describe("much to say", function()
  after_each(function()
    Server.stop_all()
    watched.end_all()
  end)

  it("waits in order for a server that reads late", function()
    local client, conn = meet_narrow()
    local size, count = 64 * 1024, 128
    for number = 1, count do
      assert(client.ws:send((">I4"):pack(number):rep(size // 4), "binary"))
    end
    client:await_stuck()
    for number = 1, count do
      assert.is_true((">I4"):pack(number):rep(size // 4) == conn:receive_binary(10))
    end
    turn.till(function()
      return client.ws.queued == 0
    end, "the queue to be empty")
    assert.equal(0, client.ws.buffered_amount)
    assert.same({}, client.closes)
  end)

  it("goes out as one message of 8 MB, whole", function()
    local client, conn = meet()
    local data = ("0123456789abcdef"):rep(1 << 19)
    assert(client.ws:send(data, "binary"))
    assert.is_true(data == conn:receive_binary(20))
  end)

  it("comes in as one message of 8 MB, whole", function()
    local client, conn = meet()
    local data = ("0123456789abcdef"):rep(1 << 19)
    conn:binary(data)
    assert.is_true(data == client:await("messages", 1, 20).data)
  end)

  it("in 2,000 messages of mixed sizes, cut at random, keeps its order both ways", chance(function()
    local client, conn = meet {
      on_message = function(data, kind, ws) assert(ws:send(data, kind)) end,
      queue = { max_bytes = 1 << 30 },
    }
    local kinds, messages, frames = { "text", "binary" }, {}, {}
    for number = 1, 2000 do
      local size = math.random(4) == 1 and math.random(0, 20000) or math.random(0, 200)
      local data = ("%d "):format(number):rep(size // 4 + 1):sub(1, size)
      messages[number] = { data = data, kind = kinds[math.random(2)] }
      frames[number] = Peer.encode(messages[number].kind, data)
    end
    local stream, at, taken = table.concat(frames), 1, 0
    local function check_next(frame)
      taken = taken + 1
      assert.equal(Peer.OPCODE[messages[taken].kind], frame.opcode)
      assert.is_true(messages[taken].data == frame.payload)
    end
    while at <= #stream do
      local size = math.random(3) == 1 and math.random(30) or math.random(60000)
      conn:send(stream:sub(at, at + size - 1))
      at = at + size
      turn.once()
      -- Reads what has come back, some of the time.
      while math.random(5) > 1 and taken < #client.messages do check_next(conn:receive_frame()) end
    end
    while taken < #messages do check_next(conn:receive_frame()) end
    assert.same(messages, client.messages)
  end))

  it("comes back from an echo server, 8 MB of it", function()
    local server = Server.start()
    local client = watched.connect { url = server:url() }
    local total, count = 0, 200
    for number = 1, count do
      assert(client.ws:send(("%d,"):format(number):rep(21000):sub(1, 41943)))
    end
    client:await("messages", count, 20)
    for number, message in ipairs(client.messages) do
      total = total + #message.data
      assert.equal(tostring(number), message.data:match "^%d+")
    end
    assert.equal(count * 41943, total)
  end)
end)

describe("reconnect()", function()
  after_each(watched.end_all)

  local function refuses(client)
    local ok, message, code = client.ws:reconnect()
    assert.is_nil(ok)
    assert.equal("not_connected", code)
    assert.equal(client.ws.name .. ": is not connected", message)
  end

  it("of an idle or closed client is refused", function()
    local client = watched.new { url = "ws://127.0.0.1:9/" }
    refuses(client)
    client.ws:close()
    refuses(client)
  end)

  it("of a closing client is refused", function()
    local client, conn = meet()
    client.ws:close()
    refuses(client)
    conn:receive_close()
    refuses(client)
  end)

  it("while connecting drops the attempt for a new one", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url }, "first")
    local conn = server:accept()
    conn:request()
    assert.is_true(client.ws:reconnect())
    conn:closed()
    conn = server:welcome()
    assert.equal("first", conn:receive_text())
    assert.equal(1, client:await("opens").attempt)
    assert.equal("connecting on_open open", client:told())
    assert.equal(2, server:arrivals())
  end)

  it("says goodbye with the code and the reason that it is given", function()
    for expected, arguments in pairs { [1000] = {}, [4000] = { 4000 }, [1012] = { 1012, "later" } } do
      local client, conn, server = meet()
      assert.is_true(client.ws:reconnect(table.unpack(arguments)))
      local code, reason = conn:receive_close()
      assert.same({ expected, arguments[2] or "" }, { code, reason })
      server:welcome()
      assert.equal("us", client:await("closes").by)
    end
  end)

  it("raises for what cannot be sent, as close() does", function()
    local client = meet()
    for _, wrong in ipairs { { 1005 }, { 999 }, { 1000, ("x"):rep(124) }, { 1000, "a\0b" }, { 1000, "\255" } } do
      assert.has_error(function() client.ws:reconnect(table.unpack(wrong)) end)
    end
    assert.equal("open", client.ws.status)
  end)

  it("before the first turn does no harm", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    assert.is_true(client.ws:reconnect())
    server:welcome()
    client:await "opens"
    assert.equal(1, server:arrivals())
  end)

  it("of an open client says goodbye and connects at once", function()
    local client, conn, server = meet()
    client.ws:send "queued"
    assert.is_true(client.ws:reconnect())
    assert.equal("connecting", client.ws.status)
    local second = server:welcome()
    assert.equal("queued", second:receive_text())
    client:await("opens", 2)
    assert.is_true(client.opens[2].reconnected)
    local event = client:await "closes"
    assert.equal("us", event.by)
    assert.is_true(event.will_reconnect)
    assert.equal(0, event.delay)
    assert.equal("connecting on_open open on_close connecting on_open open", client:told())
    assert.same({ 1000, "" }, { conn:receive_close() })
    conn:closed()
  end)

  it("of an open client whose output is stuck drops that at once", function()
    local client, conn, server = meet_narrow()
    local data = ("x"):rep(8 << 20)
    client.ws:send(data, "binary")
    client:await_stuck()
    client.ws:reconnect()
    local second = server:welcome()
    assert.is_true(data == second:receive_binary(20))
    turn.till(function()
      return conn:has_input() and conn.ended
    end, "the end of the first connection")
  end)

  it("while waiting does not wait", function()
    local server = Peer.listen()
    server:close()
    local client = watched.connect {
      url = server.url,
      reconnect = { min_delay = 3600, max_delay = 3600, jitter = 0 },
    }
    client:await "errors"
    server:open_again()
    assert.is_true(client.ws:reconnect())
    server:welcome()
    assert.equal(1, client:await("opens").attempt)
    assert.equal("connecting on_error waiting connecting on_open open", client:told())
  end)

  it("in every handler is fine", function()
    local left = 3
    local function again(_, ws)
      if left > 0 then
        left = left - 1
        assert(ws:reconnect())
      end
    end
    local server = Peer.listen()
    local client = watched.connect { url = server.url, on_open = again, on_close = again }
    turn.till(function()
      local conn = server:arrivals() > server.taken and server:accept()
      if conn then pcall(conn.upgrade, conn) end
      return left == 0 and client.ws.status == "open"
    end, "the last connection")
    client.ws:send "through"
    local last = server.all[#server.all]
    assert.equal("through", last:receive_text())
    assert.equal(#client.opens, #client.closes + 1)
  end)
end)
