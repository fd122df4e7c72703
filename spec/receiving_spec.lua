local Peer = require "support.peer"
local certs = require "support.certs"
local chance = require "support.chance"
local child = require "support.child"
local turn = require "support.turn"
local watched = require "support.watched"

local KIB, MIB = 1 << 10, 1 << 20

local TRANSPORTS = {
  ["plain TCP"] = {},
  ["TLS"] = { tls = certs.good },
}

local function meet(options, listening)
  if listening and listening.tls then options.tls = { ca_file = certs.ca } end
  return watched.meet(options, Peer.listen(listening))
end

-- A client without an on_message, whose messages wait to be taken.
local function meet_inbox(options, listening)
  local client, conn, server = meet(options, listening)
  client.ws.on_message = nil
  return client, conn, server
end

-- Sends as much as the system takes, until nothing more goes; returns the number of bytes. What is
-- left of the last frame is in conn.rest.
local function flood(conn, bytes)
  local sent = 0
  conn.rest = conn.rest or ""
  return turn.till_still(function()
    if conn.rest == "" then conn.rest = bytes end
    local last, reason, part = conn.socket:send(conn.rest)
    local count = last or part
    if reason == "closed" then error "the client hung up" end
    sent = sent + count
    conn.rest = conn.rest:sub(count + 1)
    return sent
  end, "the peer to be stuck")
end

local function resident()
  collectgarbage()
  collectgarbage()
  local file <close> = assert(io.open "/proc/self/statm")
  local _, pages = file:read("n", "n")
  return pages * 4096
end

-- Runs fn, and sees that this process is not `limit` bytes larger afterwards.
local function stays_small(fn, limit)
  local before = resident()
  fn()
  local grown = resident() - before
  if child.keeps_what_is_freed() then return end
  assert.is_true(grown < limit, ("the process has grown by %d KiB"):format(grown // KIB))
end

local function numbered(from, to, size)
  local frames = {}
  for number = from, to do
    local text = tostring(number)
    frames[#frames + 1] = Peer.encode("text", text .. ("."):rep(size - #text))
  end
  return table.concat(frames)
end

local function number_of(data)
  return math.tointeger(tonumber(data:match "^%d+"))
end

describe("max_message_size", function()
  after_each(watched.end_all)

  local function is_too_large(client, conn)
    assert.equal(1009, (conn:receive_close()))
    conn:finish()
    local close = client:await "closes"
    assert.same({ 1009, "us", true }, { close.code, close.by, close.will_reconnect })
    local event = client.errors[1]
    assert.equal("too_large", event.kind)
    assert.truthy(event.message:find("prices: ws://", 1, true))
    assert.truthy(event.message:find("a message over max_message_size", 1, true))
    assert.equal(event.message, client.ws.last_error)
    -- The next attempt may have begun.
    assert.matches("^connecting on_open open on_error on_close waiting", client:told())
    assert.same({}, client.messages)
  end

  it("is checked on what the header announces, before the rest has come", function()
    for _, size in ipairs { 1001, 70000, 1 << 40, math.maxinteger } do
      local client, conn = meet { max_message_size = 1000 }
      local header = size < 65536 and (">BBI2"):pack(0x82, 126, size)
        or (">BBI8"):pack(0x82, 127, size)
      conn:send(header)
      is_too_large(client, conn)
      client.ws:close()
    end
  end)

  it("is for all fragments together, announced with the last one", function()
    local client, conn = meet { max_message_size = 1000 }
    conn:frame("text", ("x"):rep(600), { fin = false })
    conn:frame("continuation", ("x"):rep(400), { fin = false })
    conn:frame("continuation", "", { fin = false })
    turn.never(function() return conn:has_input() end, "a close frame", 0.02)
    conn:send "\x80\x01"
    is_too_large(client, conn)
  end)

  it("lets a message of just that size pass, in one piece or several", function()
    local client, conn = meet { max_message_size = 1000 }
    conn:text(("x"):rep(1000))
    conn:frame("binary", ("x"):rep(999), { fin = false })
    conn:frame("continuation", "y")
    client:await("messages", 2)
    assert.equal(1000, #client.messages[1].data)
    assert.equal(1000, #client.messages[2].data)
  end)

  it("and every other bound may be more than there is memory", function()
    for _, bytes in ipairs { 1 << 31, 1 << 32, (1 << 32) + 1, 1 << 48 } do
      local client, conn = meet {
        max_message_size = bytes,
        inbox = { max_bytes = bytes },
        queue = { max_bytes = bytes, max_messages = bytes },
        high_water = bytes,
        low_water = bytes,
        compression = { threshold = bytes },
      }
      conn:text "from the server"
      assert.equal("from the server", client:await("messages").data)
      assert.truthy(client.ws:send "from the client")
      assert.equal("from the client", conn:receive_text())
      client.ws:close()
    end
  end)

  it("is followed by the next connection, which works", function()
    local client, conn, server = meet { max_message_size = 10 }
    conn:text(("x"):rep(11))
    is_too_large(client, conn)
    server:welcome():text "short"
    assert.equal("short", client:await("messages").data)
  end)

  it("reserves no memory for what was only announced", function()
    local client, conn = meet { max_message_size = 1 << 30 }
    stays_small(function()
      conn:send((">BBI8"):pack(0x82, 127, 1 << 30))
      conn:send(("x"):rep(MIB))
      turn.till(function() return client.ws:stats().bytes_received == 10 + MIB end, "the bytes")
    end, 64 * MIB)
  end)
end)

for name, listening in pairs(TRANSPORTS) do
  describe("over " .. name .. ", a paused client", function()
    after_each(watched.end_all)

    it("that is flooded grows by less than 8 MiB, and then gets it all", function()
      local client, conn = meet({}, listening)
      client.ws:pause()
      local frame = Peer.encode("binary", ("x"):rep(64 * KIB))
      local sent
      stays_small(function() sent = flood(conn, frame) end, 8 * MIB)
      assert.same({}, client.messages)
      client.ws:resume()
      if conn.rest ~= "" then conn:send(conn.rest) end
      client:await("messages", math.ceil(sent / #frame), 20)
    end)

    it("that is flooded with small messages grows by less than 8 MiB too", function()
      local client, conn = meet({}, listening)
      client.ws:pause()
      local frames = Peer.encode("text", "x"):rep(20000)
      stays_small(function() flood(conn, frames) end, 8 * MIB)
      assert.same({}, client.messages)
    end)

    it("gets nothing, and what came meanwhile when it is resumed, at any moment", chance(function()
      local client, conn = meet({}, listening)
      local count, paused, late = 2000, false, 0
      client.ws.on_message = function(data)
        assert.is_false(paused, "a message while paused")
        client.messages[#client.messages + 1] = number_of(data)
        if math.random(40) == 1 then
          client.ws:pause()
          paused = true
        end
      end
      local sent = 0
      while #client.messages < count do
        if sent < count and math.random(3) == 1 then
          local last = math.min(count, sent + math.random(60))
          conn:send(numbered(sent + 1, last, math.random(10, 3000)))
          sent = last
        end
        turn.once()
        if math.random(4) == 1 then
          client.ws:resume()
          paused = false
        elseif math.random(10) == 1 then
          client.ws:pause()
          paused = true
        end
        late = late + 1
        assert.is_true(late < 20000, "messages are missing")
      end
      for number = 1, count do assert.equal(number, client.messages[number]) end
      assert.equal(0, #client.errors)
    end))

    it("gets what TLS or the kernel hold when nothing more comes", function()
      local client, conn = meet({}, listening)
      client.ws:pause()
      conn:send(numbered(1, 1000, 100))
      for _ = 1, 20 do turn.once() end
      client.ws:resume()
      client:await("messages", 1000)
    end)

    it("hears of the end after what came before it", function()
      local client, conn = meet({}, listening)
      client.ws:pause()
      conn:send(numbered(1, 100, 1000))
      conn:close(1001, "bye")
      conn:finish()
      for _ = 1, 20 do turn.once() end
      assert.same({}, client.closes)
      client.ws:resume()
      local close = client:await "closes"
      assert.equal(100, #client.messages)
      assert.same({ 1001, "peer" }, { close.code, close.by })
    end)

    it("takes messages with receive() without an end, while inbox bounds what waits", function()
      local client, conn = meet_inbox({ inbox = { max_bytes = 100 * KIB } }, listening)
      local size, sent, taken = 1000, 0, 0
      stays_small(function()
        sent = flood(conn, numbered(1, 50, size))
      end, 8 * MIB)
      local frame = #numbered(1, 1, size)
      while taken < sent // frame do
        local data, kind = client.ws:receive(5)
        assert.equal("text", kind)
        assert.equal(taken % 50 + 1, number_of(data))
        taken = taken + 1
      end
      assert.is_true(taken > 1000)
    end)
  end)
end

describe("the inbox", function()
  after_each(watched.end_all)

  it("that is full does not hold up close(); what it has can still be received", function()
    local client, conn = meet_inbox { inbox = { max_bytes = 4 }, close_timeout = 60 }
    conn:text "four"
    conn:text "more"
    turn.never(function() return client.ws.status ~= "open" end, "an end", 0.05)
    client.ws:close()
    assert.equal(1000, conn:receive_close())
    conn:close(1000)
    conn:finish()
    turn.till(function() return client.ws.status == "closed" end, "the end")
    assert.equal("four", (client.ws:receive()))
    assert.same({ nil, "closed", n = 2 }, table.pack(client.ws:receive()))
  end)

  it("keeps messages for receive() when there is no on_message, in order, with their kinds", function()
    local client, conn = meet_inbox {}
    conn:text "one"
    conn:binary "two"
    conn:text ""
    turn.till(function() return client.ws:stats().received == 3 end, "the messages")
    assert.same({ "one", "text" }, { client.ws:receive(0) })
    assert.same({ "two", "binary" }, { client.ws:receive(0) })
    assert.same({ "", "text" }, { client.ws:receive(0) })
    assert.same({ nil, "timeout" }, { client.ws:receive(0) })
  end)

  it("stops reading at max_bytes, and goes on when there is room", function()
    local client, conn = meet_inbox { inbox = { max_bytes = 1000 } }
    conn:send(numbered(1, 500, 100))
    local most = 8 -- each has 100 bytes and 32 for itself
    turn.till(function() return client.ws:stats().received == most end, "messages")
    turn.never(function() return client.ws:stats().received > most end, "one more", 0.02)
    for number = 1, 500 do
      assert.equal(number, number_of(client.ws:receive(1)))
      assert.is_true(client.ws:stats().received <= number + most)
    end
  end)

  it("takes a message that is larger than max_bytes when it is not full", function()
    local client, conn = meet_inbox { inbox = { max_bytes = 10 } }
    conn:text(("x"):rep(1000))
    conn:text "next"
    assert.equal(1000, #client.ws:receive(1))
    assert.equal("next", (client.ws:receive(1)))
  end)

  it("is bounded for tiny and empty messages too, which are not for free", function()
    for _, text in ipairs { "", "x" } do
      local client, conn = meet_inbox { inbox = { max_bytes = MIB } }
      local frames = Peer.encode("text", text):rep(10000)
      stays_small(function() flood(conn, frames) end, 8 * MIB)
      assert.is_true(client.ws:stats().received <= MIB // 32)
      assert.equal(text, (client.ws:receive(1)))
      client.ws:close()
      conn:cut()
    end
  end)

  it("keeps what came before a connection was lost", function()
    local client, conn, server = meet_inbox {}
    conn:text "before"
    turn.till(function() return client.ws:stats().received == 1 end, "the message")
    conn:cut()
    conn = server:welcome()
    conn:text "after"
    assert.equal("before", (client.ws:receive(1)))
    assert.equal("after", (client.ws:receive(1)))
  end)

  it("that is full does not keep what is behind it from arriving, nor the end from being told",
    function()
      local client, conn = meet_inbox { inbox = { max_bytes = 100 } }
      conn:send(numbered(1, 20, 50))
      conn:close(1000)
      conn:finish()
      turn.till(function() return client.ws:stats().received == 2 end, "the first ones")
      turn.never(function() return client.closes[1] end, "the end", 0.02)
      for number = 1, 20 do assert.equal(number, number_of(client.ws:receive(1))) end
      assert.equal(1000, client:await("closes").code)
    end)

  it("rests while the client is paused", function()
    local client, conn = meet_inbox {}
    client.ws:pause()
    conn:text "one"
    for _ = 1, 10 do turn.once() end
    assert.same({ nil, "timeout" }, { client.ws:receive(0.01) })
    client.ws:resume()
    assert.equal("one", (client.ws:receive(1)))
  end)

  it("goes to an on_message that is assigned late, in order and before what comes then", function()
    for _, bytes in ipairs { 10, MIB } do -- so few that it is full, and more than enough
      local client, conn = meet_inbox { inbox = { max_bytes = bytes } }
      for i = 1, 20 do conn:text(tostring(i)) end
      conn:binary "\255"
      turn.never(function() return client.messages[1] end, "a message", 0.02)
      local got = {}
      client.ws.on_message = function(data, kind, ws)
        assert.equal(client.ws, ws)
        got[#got + 1] = kind .. " " .. data
      end
      conn:text "last"
      turn.till(function() return got[22] end, "all of them", 2)
      for i = 1, 20 do assert.equal("text " .. i, got[i]) end
      assert.same({ "binary \255", "text last" }, { got[21], got[22] })
    end
  end)

  it("gives as much as a late on_message wants: not while paused, and what comes behind an error later", function()
    local client, conn = meet_inbox {}
    for i = 1, 4 do conn:text(tostring(i)) end
    turn.never(function() return client.messages[1] end, "a message", 0.02)
    local got = {}
    client.ws:pause()
    client.ws.on_message = function(data, _, ws)
      got[#got + 1] = data
      if data == "1" then error "no" end
      if data == "2" then ws:pause() end
      if data == "3" then ws.on_message = nil end
    end
    turn.never(function() return got[1] end, "a message while paused", 0.02)
    client.ws:resume()
    assert.error_matches(function() turn.till(function() return got[2] end, "the error") end, "no")
    turn.till(function() return got[2] end, "the next one")
    turn.never(function() return got[3] end, "another one", 0.02)
    client.ws:resume()
    turn.till(function() return got[3] end, "the next one")
    assert.equal("4", client.ws:receive(1))
  end)

  it("is left alone by close(), and can be emptied after it", function()
    local client, conn = meet_inbox {}
    conn:text "one"
    turn.till(function() return client.ws:stats().received == 1 end, "the message")
    client.ws:close()
    conn:receive_close()
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.equal("one", (client.ws:receive(0)))
    assert.same({ nil, "closed" }, { client.ws:receive(0) })
  end)

  it("must have room for a byte", function()
    local WebSocket = require "steadysocket"
    assert.error_matches(function()
      WebSocket.new { url = "ws://h/", inbox = { max_bytes = 0 } }
    end, "option 'inbox.max_bytes' is 0")
  end)
end)
