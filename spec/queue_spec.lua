local Peer = require "support.peer"
local Server = require "support.server"
local chance = require "support.chance"
local socket = require "socket"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"
local WebSocket = require "steadysocket"

local KIB, MIB = 1 << 10, 1 << 20

-- More bytes than the system takes of what a narrow peer does not read.
local function more_than_fits()
  local file <close> = io.open "/proc/sys/net/ipv4/tcp_wmem"
  local most = (file and file:read "a" or ""):match "(%d+)%s*$"
  return (tonumber(most) or 8 * MIB) + 2 * MIB
end
local MUCH = more_than_fits()

-- A client and the connection it has to a server that takes little at a time.
local function meet(options, server)
  return watched.meet(options, server or Peer.listen { narrow = true })
end

-- A client whose server is not there yet: all it sends is queued. begin() has it connect, and
-- returns the connection.
local function wait_for_server(options)
  local server = Peer.listen()
  options.url, options.name = server.url, "prices"
  local client = watched.new(options)
  return client, function()
    client.ws:connect()
    return server:welcome()
  end
end

local function send_all(ws, list)
  for _, text in ipairs(list) do assert(ws:send(text)) end
end

local function receives(conn, expected)
  for _, text in ipairs(expected) do assert.equal(text, conn:receive_text()) end
  turn.never(function() return conn:has_input() end, "another message", 0.02)
end

local function is_full(ws, ...)
  local done, message, code = ws:send(...)
  assert.same({ nil, "prices: the queue is full", "queue_full" }, { done, message, code })
end

local function is_too_large(ws, data, most)
  local done, message, code = ws:send(data)
  local expected = ("prices: the message is larger than queue.max_bytes, %d > %d bytes"):format(#data, most)
  assert.same({ nil, expected, "message_size" }, { done, message, code })
end

local function pass(seconds)
  local till = socket.gettime() + seconds
  turn.till(function() return socket.gettime() > till end, "time to pass")
end

-- The sums that hold at any time.
local function check_sums(ws, confirm)
  local stats = ws:stats()
  assert.equal(stats.accepted, stats.sent - stats.resent + stats.queued + stats.dropped)
  assert.equal(stats.queued, ws.queued)
  assert.equal(stats.unconfirmed, ws.unconfirmed)
  if confirm then
    assert.equal(stats.sent - stats.resent, stats.confirmed + stats.unconfirmed + stats.greetings)
  else
    assert.equal(0, stats.resent + stats.confirmed + stats.unconfirmed)
  end
  return stats
end

describe("the queue", function()
  after_each(watched.end_all)

  it("takes max_bytes bytes of payload and not one more", function()
    local client, begin = wait_for_server { queue = { max_bytes = 10 } }
    send_all(client.ws, { "12345", "67890" })
    is_full(client.ws, "x")
    is_full(client.ws, "x", "binary")
    assert.is_true(client.ws:send "")
    assert.equal(3, client.ws.queued)
    assert.equal(10, client.ws.buffered_amount)
    receives(begin(), { "12345", "67890", "" })
    assert.is_true(client.ws:send "1234567890")
    is_too_large(client.ws, "12345678901", 10)
  end)

  it("takes max_messages messages and not one more", function()
    local client, begin = wait_for_server { queue = { max_messages = 2 } }
    send_all(client.ws, { "1", "2" })
    is_full(client.ws, "")
    receives(begin(), { "1", "2" })
  end)

  it("takes nothing when its bounds are 0", function()
    for _, bound in ipairs { "max_messages", "max_bytes" } do
      for _, overflow in ipairs { "refuse", "drop_oldest" } do
        local client = wait_for_server { queue = { [bound] = 0, overflow = overflow } }
        if bound == "max_bytes" then is_too_large(client.ws, "x", 0) else is_full(client.ws, "x") end
      end
    end
  end)

  it("refuses without dropping a message or counting one", function()
    local client = wait_for_server { queue = { max_messages = 1 } }
    client.ws:send "1"
    is_full(client.ws, "2")
    local stats = check_sums(client.ws)
    assert.equal(1, stats.accepted)
    assert.equal(0, stats.dropped)
  end)

  it("drops the oldest for new ones with drop_oldest", function()
    local client, begin = wait_for_server { queue = { max_messages = 3, overflow = "drop_oldest" } }
    send_all(client.ws, { "1", "2", "3", "4", "5" })
    assert.equal(3, client.ws.queued)
    assert.equal(2, check_sums(client.ws).dropped)
    receives(begin(), { "3", "4", "5" })
  end)

  it("drops as many of the oldest as a new one needs", function()
    local client, begin = wait_for_server { queue = { max_bytes = 10, overflow = "drop_oldest" } }
    send_all(client.ws, { "123", "456", "789", "abcdef" })
    assert.equal(2, client.ws.queued)
    assert.equal(2, check_sums(client.ws).dropped)
    receives(begin(), { "789", "abcdef" })
  end)

  it("drops nothing for a message that is larger than the queue", function()
    local client, begin = wait_for_server { queue = { max_bytes = 10, overflow = "drop_oldest" } }
    client.ws:send "1234567890"
    is_too_large(client.ws, "12345678901", 10)
    assert.equal(0, check_sums(client.ws).dropped)
    receives(begin(), { "1234567890" })
  end)

  it("does not drop the message that is part-way out", function()
    local client, conn = meet {
      queue = { max_bytes = MUCH + 10, overflow = "drop_oldest" },
    }
    local large = ("x"):rep(MUCH)
    client.ws:send(large)
    client:await_stuck()
    send_all(client.ws, { "12345", "67890", "abc" })
    assert.equal(3, client.ws.queued)
    is_full(client.ws, ("y"):rep(11))
    assert.equal(3, client.ws.queued)
    assert.is_true(conn:receive_text(20) == large)
    receives(conn, { "67890", "abc" })
    check_sums(client.ws)
  end)

  for _, overflow in ipairs { "refuse", "drop_oldest" } do
    it(("that is full keeps no log-in of on_open back, and loses nothing for it: %s"):format(overflow), function()
      local client, begin = wait_for_server {
        queue = { max_messages = 2, max_bytes = 20, overflow = overflow },
        on_open = function(_, ws)
          send_all(ws, { "log-in", "subscribe" })
          assert.equal(4, ws.queued)
        end,
      }
      send_all(client.ws, { "1", "2" })
      receives(begin(), { "log-in", "subscribe", "1", "2" })
      assert.equal(0, check_sums(client.ws).dropped)
    end)

    it(("has bounds for on_open as well, so that its loops end: %s"):format(overflow), function()
      local sent = 0
      local client, begin = wait_for_server {
        queue = { max_messages = 3, overflow = overflow },
        on_open = function(_, ws)
          while ws:send(tostring(sent + 1)) do sent = sent + 1 end
          is_full(ws, "4")
        end,
      }
      client.ws:send "queued"
      receives(begin(), { "1", "2", "3", "queued" })
      check_sums(client.ws)
    end)
  end

  it("refuses text that is not UTF-8, full or not", function()
    local client = wait_for_server { queue = { max_messages = 1 } }
    for _ = 1, 2 do
      local done, message, code = client.ws:send "\xC0\x80"
      assert.is_nil(done)
      assert.equal("invalid", code)
      assert.equal('prices: the text is not UTF-8; send it as "binary"', message)
      client.ws:send("\xC0\x80", "binary")
    end
    assert.equal(1, client.ws.queued)
  end)

  it("is dropped whole, and counted, by close() while there is no connection", function()
    local client = wait_for_server {}
    send_all(client.ws, { "1", "2" })
    client.ws:close()
    assert.equal(0, client.ws.queued)
    assert.equal(2, check_sums(client.ws).dropped)
    local done, message, code = client.ws:send "3"
    assert.same({ nil, "prices: is closed", "closed" }, { done, message, code })
  end)
end)

describe("ttl", function()
  after_each(watched.end_all)

  it("has messages dropped that waited longer, and no others", function()
    local client, begin = wait_for_server { queue = { ttl = 0.1 } }
    send_all(client.ws, { "1", "2" })
    pass(0.12)
    send_all(client.ws, { "3", "4" })
    receives(begin(), { "3", "4" })
    assert.equal(2, check_sums(client.ws).dropped)
  end)

  for _, status in ipairs { "idle", "waiting", "open" } do
    it(("has a message gone when its time is over, though nobody looks for it: %s"):format(status), function()
      local client, conn, alive
      if status == "idle" then
        client = wait_for_server { queue = { ttl = 0.1 } }
        alive = WebSocket.after(60, function() end) -- an idle client alone keeps no loop going
      elseif status == "waiting" then
        client = watched.new { url = "ws://127.0.0.1:1/", queue = { ttl = 0.1 }, reconnect = { min_delay = 20 } }
        client.ws:connect()
        turn.till(function() return client.ws.status == "waiting" end, "the failure")
      else
        client, conn = meet { queue = { ttl = 0.1, max_bytes = 64 * MIB } }
        client.ws:send(("x"):rep(MUCH))
        client:await_stuck()
      end
      local before, watch = client.ws.queued, stopwatch.start()
      client.ws:send "1"
      client.ws:send "2"
      turn.till(function() return client.ws.queued == before end, "them to go", 0.8)
      assert.is_true(watch() > 0.09)
      assert.equal(2, check_sums(client.ws).dropped)
      if alive then alive:cancel() end
      if conn then assert.is_true(#conn:receive_text(20) == MUCH) end
    end)
  end

  it("of 0 is for what can go out at once", function()
    local client, conn = meet { queue = { ttl = 0 } }
    send_all(client.ws, { "1", "2" })
    receives(conn, { "1", "2" })
    conn:text "ask"
    client.ws.on_message = function(_, _, ws) ws:send "answer" end
    receives(conn, { "answer" })
    conn:cut()
    client:await "closes"
    assert.is_true(client.ws:send "too late")
    turn.till(function() return client.ws.queued == 0 end, "it to go", 1)
    assert.equal(1, check_sums(client.ws).dropped)
  end)

  it("over makes room behind the first message of connect(), which has none", function()
    local server = Peer.listen()
    local client = watched.connect(
      { url = server.url, name = "prices", queue = { ttl = 1, max_messages = 3 } },
      "first"
    )
    local conn = server:accept()
    send_all(client.ws, { "1", "2" })
    is_full(client.ws, "3")
    turn.till(function() return client.ws.queued == 1 end, "the others to go", 3)
    send_all(client.ws, { "3", "4" })
    conn:request()
    conn:upgrade()
    receives(conn, { "first", "3", "4" })
  end)

  it("is for what waits while the server is down", function()
    local client, conn, server = meet {
      queue = { ttl = 0.15 },
      reconnect = { min_delay = 0.2, max_delay = 0.2, jitter = 0 },
    }
    client.ws:send "0"
    receives(conn, { "0" })
    server:close()
    conn:cut()
    client:await "closes"
    client.ws:send "too early"
    client:await "errors"
    client.ws:send "just right"
    server:open_again()
    client.ws:reconnect()
    receives(server:welcome(), { "just right" })
    assert.equal(1, check_sums(client.ws).dropped)
  end)

  it("does not cut a message that is part-way out", function()
    local client, conn = meet { queue = { ttl = 0.05, max_bytes = 64 * MIB } }
    local large = ("x"):rep(MUCH)
    client.ws:send(large)
    client.ws:send "late"
    client:await_stuck()
    assert.is_true(conn:receive_text(20) == large)
    turn.till(function() return client.ws.queued == 0 end, "the queue to be empty")
    turn.never(function() return conn:has_input() end, "another message", 0.02)
    assert.equal(1, check_sums(client.ws).dropped)
  end)

  it("is not for connect()'s first message, and for what was sent and not confirmed it is", function()
    local server = Peer.listen()
    local client = watched.connect(
      { url = server.url, queue = { ttl = 0.05 }, confirm = true },
      "first"
    )
    client.ws:send "second"
    local conn = server:accept()
    conn:request()
    pass(0.06)
    conn:upgrade()
    assert.equal("first", conn:receive_text())
    client.ws:send "third"
    conn:receive_frame() -- the ping
    assert.equal("third", conn:receive_text())
    pass(0.06)
    conn:cut()
    assert.equal("first", server:welcome():receive_text())
    local stats = check_sums(client.ws, true)
    assert.equal(2, stats.dropped)
    assert.equal(2, stats.resent)
  end)

  it("makes room: what has expired does not count", function()
    local client, begin = wait_for_server { queue = { ttl = 0.05, max_messages = 2 } }
    send_all(client.ws, { "1", "2" })
    is_full(client.ws, "3")
    pass(0.06)
    send_all(client.ws, { "3", "4" })
    is_full(client.ws, "5")
    assert.equal(2, check_sums(client.ws).dropped)
    receives(begin(), { "3", "4" })
  end)

  it("of 0 seconds keeps nothing that cannot go at once", function()
    local client, begin = wait_for_server { queue = { ttl = 0 } }
    client.ws:send "1"
    local conn = begin()
    receives(conn, {})
    assert.equal(1, check_sums(client.ws).dropped)
  end)
end)

describe("discard()", function()
  after_each(watched.end_all)

  it("empties the queue and says how many messages it dropped", function()
    local client, begin = wait_for_server {}
    assert.equal(0, client.ws:discard())
    send_all(client.ws, { "1", "2", "3" })
    assert.equal(3, client.ws:discard())
    assert.equal(0, client.ws.queued)
    assert.equal(0, client.ws.buffered_amount)
    client.ws:send "4"
    receives(begin(), { "4" })
    assert.equal(3, check_sums(client.ws).dropped)
  end)

  it("leaves the message that is part-way out, and what was sent and is not confirmed", function()
    local client, conn, server = meet { confirm = true, queue = { max_bytes = 64 * MIB } }
    client.ws:send "1"
    assert.equal("1", conn:receive_text())
    local large = ("x"):rep(MUCH)
    client.ws:send(large)
    client:await_stuck()
    send_all(client.ws, { "2", "3" })
    assert.equal(2, client.ws:discard())
    assert.equal(1, client.ws.queued)
    assert.equal(1, client.ws.unconfirmed)
    conn:reset()
    conn = server:welcome()
    assert.equal("1", conn:receive_text())
    assert.is_true(conn:receive_text(20) == large)
    assert.equal(2, check_sums(client.ws, true).dropped)
  end)

  it("in on_open drops what was queued and what it has just sent", function()
    local client, begin = wait_for_server {
      on_open = function(_, ws)
        ws:send "hello"
        assert.equal(3, ws:discard())
        ws:send "hello again"
      end,
    }
    send_all(client.ws, { "1", "2" })
    receives(begin(), { "hello again" })
    check_sums(client.ws)
  end)
end)

describe("the first message of connect()", function()
  after_each(watched.end_all)

  it("is dropped for no other one", function()
    local server = Peer.listen()
    local client = watched.connect(
      { url = server.url, name = "prices", queue = { max_messages = 2, max_bytes = 10, overflow = "drop_oldest" } },
      "first"
    )
    local conn = server:accept()
    send_all(client.ws, { "1", "2", "3" })
    is_full(client.ws, ("x"):rep(6)) -- there is no room for it, whatever else goes
    receives((function() conn:request() conn:upgrade() return conn end)(), { "first", "3" })
    assert.equal(2, check_sums(client.ws).dropped)
  end)

  it("is discarded with all others", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url }, "first")
    client.ws:send "second"
    assert.equal(2, client.ws:discard())
    local conn = server:welcome()
    client.ws:send "third"
    receives(conn, { "third" })
  end)
end)

describe("buffered_amount", function()
  after_each(watched.end_all)

  it("is what the kernel has not taken: all of it while there is no connection", function()
    local client, begin = wait_for_server {}
    send_all(client.ws, { "12345", "", "678" })
    assert.equal(8, client.ws.buffered_amount)
    local conn = begin()
    receives(conn, { "12345", "", "678" })
    assert.equal(0, client.ws.buffered_amount)
  end)

  it("is more than 0 while the peer does not read, and 0 once it has", function()
    local client, conn = meet { queue = { max_bytes = 64 * MIB } }
    local payload, count = ("x"):rep(64 * KIB), MUCH // (64 * KIB)
    for _ = 1, count do client.ws:send(payload, "binary") end
    client:await_stuck()
    assert.is_true(client.ws.buffered_amount > 0)
    assert.is_true(client.ws.buffered_amount < count * 64 * KIB)
    for _ = 1, count do assert.is_true(#conn:receive_binary() == 64 * KIB) end
    turn.till(function() return client.ws.buffered_amount == 0 end, "nothing to be left")
    assert.equal(0, client.ws.queued)
  end)

  it("goes down without a turn of the loop once there is as much as one write takes", function()
    local client, conn = meet({}, Peer.listen())
    local text, count = ("x"):rep(KIB), 0
    repeat
      assert(client.ws:send(text))
      count = count + 1
    until client.ws.buffered_amount < count * KIB or count == 1024
    assert.is_true(count < 1024, "a MiB waits for the loop")
    assert.is_true(count > 100, "a system call for every " .. count .. " KiB")
    for _ = 1, count do assert.is_true(conn:receive_text() == text) end
    check_sums(client.ws)
  end)

  it("keeps the rest that does not fill a write for the next one", function()
    local client, conn = meet({}, Peer.listen())
    local text, count = ("x"):rep(60 * KIB), 0
    repeat
      assert(client.ws:send(text))
      count = count + 1
    until client.ws.queued < count
    assert.equal(1, client.ws.queued, "a small write behind a full one")
    for _ = 1, count do assert.is_true(conn:receive_text() == text) end
    check_sums(client.ws)
  end)

  it("goes down in a handler as well", function()
    local client, conn = meet({}, Peer.listen())
    local left
    client.ws.on_message = function(_, _, ws)
      for _ = 1, 1024 do assert(ws:send(("x"):rep(KIB))) end
      left = ws.buffered_amount
      ws:send "last"
    end
    conn:text "go"
    turn.till(function() return left end, "the handler to have run")
    assert.is_true(left < MIB)
    for _ = 1, 1024 do assert.equal(KIB, #conn:receive_text()) end
    assert.equal("last", conn:receive_text())
    check_sums(client.ws)
  end)

  it("counts the last piece, which is no longer queued", function()
    local client, conn = meet { queue = { max_bytes = 64 * MIB } }
    client.ws:send(("x"):rep(MUCH), "binary")
    local seen
    turn.till(function()
      conn:has_input()
      if client.ws.queued == 0 and client.ws.buffered_amount > 0 then seen = true end
      return client.ws.queued == 0 and client.ws.buffered_amount == 0
    end, "nothing to be left", 20)
    assert.is_true(seen or #conn.inbox > MUCH)
  end)
end)

describe("on_drain", function()
  after_each(watched.end_all)
  teardown(Server.stop_all)

  local function watch_drains(client)
    local drains = {}
    client.ws.on_drain = function(ws)
      assert.equal(client.ws, ws)
      drains[#drains + 1] = ws.buffered_amount
    end
    return drains
  end

  it("is called once when the queue, having been over high_water, is at low_water", function()
    local client, begin = wait_for_server { high_water = 10, low_water = 4 }
    local drains = watch_drains(client)
    send_all(client.ws, { "123456", "7890", "x" })
    local conn = begin()
    receives(conn, { "123456", "7890", "x" })
    turn.till(function() return drains[1] end, "on_drain")
    turn.never(function() return drains[2] end, "another", 0.02)
    client.ws:send "12345678901"
    turn.till(function() return drains[2] end, "on_drain")
  end)

  it("is not called when the queue was at high_water only", function()
    local client, begin = wait_for_server { high_water = 10, low_water = 4 }
    local drains = watch_drains(client)
    send_all(client.ws, { "123456", "7890" })
    receives(begin(), { "123456", "7890" })
    assert.same({}, drains)
  end)

  it("waits for a peer that does not read, and tells when there is room", function()
    local client, conn = meet {
      high_water = 2 * MIB,
      low_water = MIB,
      queue = { max_bytes = 64 * MIB },
    }
    local drains = watch_drains(client)
    local payload, count = ("x"):rep(64 * KIB), MUCH // (64 * KIB)
    for _ = 1, count do client.ws:send(payload, "binary") end
    client:await_stuck()
    assert.same({}, drains)
    assert.is_true(client.ws.buffered_amount > MIB)
    turn.till(function()
      conn:has_input()
      return drains[1]
    end, "on_drain")
    assert.is_true(drains[1] <= MIB + 128 * KIB)
  end)

  it("comes when discard() makes room, and not inside of it", function()
    local client = wait_for_server { high_water = 10, low_water = 0 }
    local drains = watch_drains(client)
    client.ws:send "12345678901"
    client.ws:connect()
    client.ws:discard()
    assert.same({}, drains)
    turn.till(function() return drains[1] end, "on_drain")
    assert.same({ 0 }, drains)
  end)

  local BOUNDS = {
    ["max_bytes below high_water"] = { max_bytes = 512 * KIB },
    ["max_bytes over high_water"] = { max_bytes = 2 * MIB },
    ["max_messages"] = { max_messages = 20 },
    ["a single message"] = { max_messages = 1 },
  }
  for name, queue in pairs(BOUNDS) do
    for _, confirm in ipairs { false, true } do
      it(("follows each send that was refused, by %s, with confirm = %s"):format(name, confirm), function()
        local server = Server.start()
        local chunk, left, drains = ("x"):rep(64 * KIB), 200, 0
        local function fill(ws)
          while left > 0 and ws:send(chunk, "binary") do left = left - 1 end
        end
        local client = watched.connect {
          url = server:url(),
          queue = queue,
          confirm = confirm,
        }
        client.ws.on_drain = function(ws)
          drains = drains + 1
          fill(ws)
        end
        fill(client.ws)
        turn.till(function() return #client.messages == 200 end, "all of them to come back")
        -- None of the calls was in vain, but for the last one, after which nothing was left.
        assert.is_true(drains <= 202 - (queue.max_messages or 1), drains .. " calls")
        check_sums(client.ws, confirm)
      end)
    end
  end

  it("does not come for a message that is larger than the queue", function()
    local client, begin = wait_for_server { queue = { max_bytes = 10 } }
    local drains = watch_drains(client)
    is_too_large(client.ws, "12345678901", 10)
    client.ws:send "1"
    receives(begin(), { "1" })
    assert.same({}, drains)
  end)

  it("waits for room for the message that was refused", function()
    local client, conn = meet { queue = { max_bytes = MUCH + 10 } }
    local drains = watch_drains(client)
    client.ws:send(("x"):rep(MUCH))
    is_full(client.ws, ("y"):rep(11))
    client:await_stuck()
    assert.same({}, drains)
    conn:receive_text(20)
    turn.till(function() return drains[1] end, "on_drain")
    assert.is_true(client.ws:send(("y"):rep(11)))
  end)

  it("has a producer send everything, a bound at a time", function()
    local client, conn = meet {
      high_water = 256 * 1024,
      low_water = 64 * 1024,
      queue = { max_bytes = MIB },
      heartbeat = false, -- under valgrind it takes as long as an interval
    }
    local payload, sent = ("x"):rep(10000), 0
    local function produce(ws)
      while sent < 1000 and ws.buffered_amount <= 256 * 1024 do
        sent = sent + 1
        assert(ws:send(("%4d%s"):format(sent, payload)))
      end
    end
    client.ws.on_drain = produce
    produce(client.ws)
    for number = 1, 1000 do
      assert.equal(number, math.tointeger(tonumber(conn:receive_text():sub(1, 4))))
    end
  end)
end)

describe("close()", function()
  after_each(watched.end_all)

  it("sends what is queued before the close frame", function()
    local client, conn = meet {}
    for number = 1, 200 do client.ws:send(("%d %s"):format(number, ("x"):rep(5000))) end
    client.ws:close(1001, "bye")
    assert.equal("closing", client.ws.status)
    for number = 1, 200 do
      assert.equal(number, math.tointeger(tonumber(conn:receive_text():match "^%d+")))
    end
    local code, reason = conn:receive_close()
    assert.same({ 1001, "bye" }, { code, reason })
    conn:close(1001)
    conn:finish()
    client:await_status "closed"
    assert.equal(0, check_sums(client.ws).dropped)
    assert.is_true(client.closes[1].clean)
  end)

  it("gives up after close_timeout what a peer that does not read has not taken", function()
    local client = meet { close_timeout = 0.2, queue = { max_bytes = 64 * MIB } }
    local payload, count = ("x"):rep(64 * KIB), MUCH // (64 * KIB)
    for _ = 1, count do client.ws:send(payload, "binary") end
    local watch = stopwatch.start()
    client.ws:close()
    client:await_status "closed"
    local took, own = watch()
    assert.is_true(took > 0.19 and own < 2, ("it took %g s"):format(took))
    local stats = check_sums(client.ws)
    assert.is_true(stats.dropped > 0 and stats.sent > 0)
    assert.equal(count, stats.dropped + stats.sent)
    assert.equal(0, client.ws.queued)
    assert.equal(0, client.ws.buffered_amount)
    local close = client.closes[1]
    assert.same({ 1006, false, "us" }, { close.code, close.clean, close.by })
  end)

  it("leaves out what has expired meanwhile", function()
    local client, conn = meet { queue = { ttl = 0.05, max_bytes = 64 * MIB } }
    local large = ("x"):rep(MUCH)
    client.ws:send(large)
    client.ws:send "late"
    client.ws:close()
    client:await_stuck()
    assert.is_true(conn:receive_text(20) == large)
    assert.equal(1000, (conn:receive_close()))
  end)
end)

describe("stats()", function()
  after_each(watched.end_all)

  it("is all zero at first", function()
    local client = wait_for_server {}
    for name, value in pairs(client.ws:stats()) do assert.equal(0, value, name) end
  end)

  it("counts the bytes on the wire after the upgrade", function()
    local client, conn = meet {}
    client.ws:send "12345"
    client.ws:send(("x"):rep(200))
    client.ws:ping "1"
    local bytes = (6 + 5) + (8 + 200) + (6 + 1)
    turn.till(function()
      conn:has_input()
      return #conn.inbox == bytes
    end, "all frames")
    conn:text "abc"
    conn:ping "d"
    client:await "messages"
    turn.till(function() return client.ws:stats().bytes_sent == bytes + 7 end, "the pong")
    local stats = client.ws:stats()
    assert.equal(5 + 3, stats.bytes_received)
    assert.equal(1, stats.received)
    assert.equal(2, stats.sent)
    assert.equal(1, stats.pings)
  end)

  it("counts attempts, connections and failures, and the time it was connected", function()
    local server = Peer.listen()
    server:close()
    local client = watched.connect { url = server.url }
    client:await("errors", 2)
    server:open_again()
    local conn = server:welcome()
    client:await "opens"
    local start = socket.gettime()
    pass(0.1)
    local stats = client.ws:stats()
    assert.equal(#client.errors, stats.failures)
    assert.equal(#client.errors + 1, stats.attempts)
    assert.equal(1, stats.connections)
    assert.is_true(stats.time_connected > 0.09)
    conn:cut()
    client:await "closes"
    local connected = client.ws:stats().time_connected
    assert.is_true(connected > 0.09 and connected < socket.gettime() - start + 0.05)
    server:close()
    client:await("errors", #client.errors + 1)
    assert.equal(connected, client.ws:stats().time_connected)
    assert.equal(#client.errors, client.ws:stats().failures)
    server:open_again()
    server:welcome()
    client:await("opens", 2)
    assert.equal(2, client.ws:stats().connections)
    assert.is_true(client.ws:stats().time_connected >= connected)
  end)

  -- Everything at once: a server that comes and goes, a small queue, messages that expire.
  local function rough(options)
    return function()
      local server = Peer.listen()
      options.url = server.url
      options.reconnect = { min_delay = 0.001, max_delay = 0.002, jitter = 1 }
      options.close_timeout = 0.05
      local client = watched.connect(options)
      local ws, conn = client.ws, nil
      local tried, refused, received = 0, 0, 0
      for _ = 1, 400 do
        for _ = 1, math.random(0, 20) do
          tried = tried + 1
          if not ws:send(("x"):rep(math.random(0, 2000))) then refused = refused + 1 end
        end
        turn.once()
        local chosen = math.random(30)
        if not conn and server:arrivals() > server.taken then
          conn = server:accept()
          local asked, why = pcall(conn.upgrade, conn)
          if not asked then assert.matches("hung up", why) end
          if not asked then conn = nil end
        elseif conn and chosen == 1 then
          conn:reset()
          conn = nil
        elseif conn and chosen == 2 then
          conn:close(1000)
          conn:finish()
          conn = nil
        elseif chosen == 3 then
          ws:discard()
        elseif chosen == 4 then
          ws:reconnect()
          conn = nil
        elseif conn and chosen > 10 then
          for _, frame in ipairs(conn:frames()) do
            if frame.opcode == Peer.OPCODE.ping then
              conn.socket:send(Peer.encode("pong", frame.payload))
            else
              received = received + 1
            end
          end
        end
        local stats = check_sums(ws, options.confirm)
        assert.equal(tried - refused, stats.accepted)
        assert.equal(#client.errors, stats.failures)
        assert.is_true(stats.connections <= stats.attempts)
      end
      local stats = ws:stats()
      assert.is_true(received <= stats.sent)
      assert.is_true(stats.connections > 3, "the run was not rough")
      ws:close()
      client:await_status "closed"
      check_sums(ws, options.confirm)
      assert.equal(0, ws.queued)
      assert.equal(0, ws.unconfirmed)
    end
  end

  it("adds up through a rough run", chance(rough {}))
  it("adds up with bounds and a ttl", chance(rough {
    queue = { max_messages = 50, max_bytes = 60000, ttl = 0.02 },
  }))
  it("adds up with drop_oldest", chance(rough {
    queue = { max_messages = 50, max_bytes = 60000, overflow = "drop_oldest" },
  }))
  it("adds up with confirm", chance(rough {
    confirm = true,
    queue = { max_messages = 100, ttl = 0.05, overflow = "drop_oldest" },
  }))
end)
