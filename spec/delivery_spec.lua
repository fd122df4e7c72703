local Peer = require "support.peer"
local Server = require "support.server"
local chance = require "support.chance"
local stopwatch = require "support.stopwatch"
local turn = require "support.turn"
local watched = require "support.watched"

local FAST = { min_delay = 0.001, max_delay = 0.001, jitter = 0 }

local meet = watched.meet

-- Turns until all the texts have come that are expected, and no other; pings stay unanswered.
local function receives(conn, expected)
  local texts = {}
  turn.till(function()
    for _, frame in ipairs(conn:frames()) do
      if frame.opcode ~= Peer.OPCODE.ping then texts[#texts + 1] = frame.payload end
    end
    return #texts >= #expected
  end, ("%d messages"):format(#expected))
  assert.same(expected, texts)
end

-- The sums that hold at any time.
local function check_sums(ws, confirm)
  local stats = ws:stats()
  assert.equal(stats.accepted, stats.sent - stats.resent + stats.queued + stats.dropped)
  if confirm then
    assert.equal(stats.sent - stats.resent, stats.confirmed + stats.unconfirmed + stats.greetings)
  end
  return stats
end

--------------------------------------------------------------------------------------------------
-- The rough run: a server that dies again and again, in many ways, while numbered messages come.

local COUNT, DEATHS = 5000, 50
-- Without confirmation a server that dies takes what was sent to it along; the last message is for
-- the last one, which lives.
local BEFORE_THE_LAST = COUNT - 1

-- Odd numbers are text and even ones binary, and sizes differ: some are larger than a write.
local function numbered(number)
  local size = number % 500 == 0 and 200000 or number % 50 == 0 and 3000 or number % 40
  return ("%d:"):format(number) .. ("."):rep(size), number % 2 == 0 and "binary" or "text"
end

local Rough = {}
Rough.__index = Rough

-- Sends up to number `last`.
function Rough:feed(last)
  while self.sent < last do
    self.sent = self.sent + 1
    assert(self.client.ws:send(numbered(self.sent)))
  end
end

function Rough:take_message(conn, frame)
  local number = math.tointeger(tonumber(frame.payload:match "^(%d+):"))
  local payload, kind = numbered(number)
  assert.is_true(payload == frame.payload, "a message is not what was sent")
  assert.equal(Peer.OPCODE[kind], frame.opcode)
  if conn.last then
    assert.is_true(number > conn.last, "the messages of a connection are not in order")
    assert.is_true(number == conn.last + 1, "there is a gap in a connection's messages")
  end
  conn.last = number
  self.arrived[#self.arrived + 1] = number
end

-- Reads up to `limit` frames of what has come, and answers pings, most at once and some later.
function Rough:read(conn, limit)
  conn.unread, conn.pings = conn.unread or {}, conn.pings or {}
  for _, frame in ipairs(conn:frames()) do table.insert(conn.unread, frame) end
  local first = (conn.read_up_to or 0) + 1
  conn.read_up_to = math.min(first - 1 + limit, #conn.unread)
  for position = first, conn.read_up_to do
    local frame = conn.unread[position]
    if frame.opcode == Peer.OPCODE.ping then
      conn.pings[#conn.pings + 1] = frame.payload
      self.most_pings = math.max(self.most_pings, #conn.pings)
    else
      self:take_message(conn, frame)
    end
  end
  if math.random(4) > 1 then self:answer(conn) end
  return conn.read_up_to - first + 1
end

function Rough.answer(_, conn)
  while conn.pings and conn.pings[1] and not conn.ended do
    conn.socket:send(Peer.encode("pong", table.remove(conn.pings, 1)))
  end
end

local function turn_a_little()
  for _ = 1, math.random(0, 4) do turn.once() end
end

local DEATHS_OF = {
  function(conn) conn:finish() end, -- after reading all there is, of which nobody is told
  function(conn) conn:cut() end, -- FIN, then a reset for what was not read
  function(conn) conn:reset() end,
  function(conn) conn:close(1001) conn:finish() end,
  function(conn) -- in the middle of a frame
    conn.socket:send(Peer.encode("text", "cut short"):sub(1, math.random(10)))
    turn_a_little()
    conn:finish()
  end,
  function(conn) -- half a pong
    conn.socket:send(Peer.encode("pong", conn.pings and conn.pings[1] or "x"):sub(1, 5))
    conn:cut()
  end,
  function(conn, rough) -- with much in the kernel that is never read
    rough:feed(math.min(rough.sent + math.random(100), BEFORE_THE_LAST))
    for _ = 1, 8 do turn.once() end
    conn:reset()
  end,
}

-- A life of the server: it reads a part of what comes to it, then it dies.
function Rough:life(death)
  local conn = self.server:accept()
  if math.random(8) == 1 then return conn:reset() end
  conn:request()
  if math.random(8) == 1 then return conn:cut() end
  conn:upgrade()
  local frames_left = math.random(0, 200)
  self:feed(math.min(death * COUNT // (DEATHS + 1) + math.random(100), BEFORE_THE_LAST))
  for _ = 1, 20 do
    turn.once()
    frames_left = frames_left - self:read(conn, frames_left)
    if frames_left == 0 or math.random(10) == 1 then break end
  end
  DEATHS_OF[math.random(#DEATHS_OF)](conn, self)
end

function Rough:last_life()
  local conn = self.server:welcome()
  self:feed(COUNT)
  turn.till(function()
    self:read(conn, COUNT)
    self:answer(conn)
    return self.arrived[#self.arrived] == COUNT
  end, "the last message", 20)
  turn.till(function()
    self:read(conn, COUNT)
    self:answer(conn)
    return self.client.ws.unconfirmed == 0
  end, "the last confirmation")
end

local function rough_run(confirm)
  local server = Peer.listen()
  local rough = setmetatable({
    server = server,
    confirm = confirm,
    sent = 0,
    arrived = {},
    most_pings = 0,
    client = watched.connect {
      url = server.url,
      confirm = confirm,
      reconnect = FAST,
      queue = { max_bytes = 1 << 26 },
    },
  }, Rough)
  for death = 1, DEATHS do
    rough:life(death)
    if death % 10 == 0 then check_sums(rough.client.ws, confirm) end
  end
  rough:last_life()
  assert.is_true(rough.client.ws.queued == 0)
  return rough
end

describe("with confirm = true,", function()
  after_each(function()
    Server.stop_all()
    watched.end_all()
  end)

  it("each of 5,000 messages arrives, in order, through 50 deaths of the peer", chance(function()
    local rough = rough_run(true)
    local largest, twice = 0, 0
    for _, number in ipairs(rough.arrived) do
      assert.is_true(number <= largest + 1, "a message was left out")
      twice = twice + (number <= largest and 1 or 0)
      largest = math.max(largest, number)
    end
    assert.equal(COUNT, largest)
    local stats = check_sums(rough.client.ws, true)
    assert.equal(COUNT, stats.accepted)
    assert.equal(COUNT, stats.confirmed)
    assert.equal(0, stats.dropped)
    assert.is_true(stats.resent >= twice)
    assert.is_true(twice > 0, "the run was not rough")
    assert.equal(1, rough.most_pings)
    assert.equal("open", rough.client.ws.status)
  end))

  it("a message counts as unconfirmed until the peer has read it", function()
    local client, conn = meet { confirm = true }
    assert.equal(0, client.ws.unconfirmed)
    for number = 1, 3 do client.ws:send(tostring(number)) end
    assert.equal(0, client.ws.unconfirmed)
    assert.equal(3, client.ws.queued)
    for number = 1, 3 do assert.equal(tostring(number), conn:receive_text()) end
    local ping = conn:receive_ping()
    assert.equal(3, client.ws.unconfirmed)
    assert.equal(0, client.ws.queued)
    conn:pong(ping)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal(3, client.ws:stats().confirmed)
    check_sums(client.ws, true)
  end)

  it("there is one ping at a time, and the next one is for all that was sent meanwhile", function()
    local client, conn = meet { confirm = true }
    client.ws:send "1"
    assert.equal("1", conn:receive_text())
    local ping = conn:receive_ping()
    for number = 2, 50 do
      client.ws:send(tostring(number))
      assert.equal(tostring(number), conn:receive_text())
    end
    turn.never(function() return conn:has_input() end, "another ping", 0.05)
    assert.equal(50, client.ws.unconfirmed)
    conn:pong(ping)
    local second = conn:receive_ping()
    assert.equal(49, client.ws.unconfirmed)
    conn:pong(second)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    turn.never(function() return conn:has_input() end, "a ping for nothing", 0.05)
    assert.equal(2, client.ws:stats().pings)
  end)

  it("a pong that answers no ping of ours, or an old one, confirms nothing", function()
    local client, conn = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    local first = conn:receive_ping()
    conn:pong(first)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    client.ws:send "2"
    conn:receive_text()
    local second = conn:receive_ping()
    conn:pong ""
    conn:pong(first)
    conn:pong(second .. "x")
    turn.never(function() return client.ws.unconfirmed == 0 end, "a confirmation", 0.05)
    conn:pong(second)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
  end)

  it("a ping by hand does not stand in the way, of a peer that answers the last one only", function()
    local client, conn = meet { confirm = true, heartbeat = false }
    client.ws:send "1"
    conn:receive_text()
    conn:receive_ping()
    client.ws:ping "mine"
    assert.equal("mine", conn:receive_ping())
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
  end)

  it("pings by hand do not put it off, however many there are", function()
    local client, conn = meet { confirm = true, heartbeat = false }
    client.ws:send "1"
    conn:receive_text()
    local first = conn:receive_ping()
    for _ = 1, 10 do
      client.ws:ping "mine"
      assert.equal("mine", conn:receive_ping())
      conn:receive_ping()
    end
    conn:pong(first)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
  end)

  it("the question is asked again, of a peer that has dropped the ping and talks all the time", function()
    local client, conn = meet { confirm = true }
    local again = stopwatch.start()
    client.ws:send "1"
    conn:receive_text()
    local dropped = conn:receive_ping()
    local ping
    turn.till(function()
      conn:text "news" -- so it is alive, and the heartbeat has nothing to ask
      for _, frame in ipairs(conn:frames()) do ping = ping or frame.payload end
      return ping
    end, "another ping", 5)
    assert.is_true(again() > 0.99)
    assert.are_not.equal(dropped, ping)
    assert.equal(1, client.ws.unconfirmed)
    conn:pong(ping)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal(1, client.ws:stats().connections)
    check_sums(client.ws, true)
  end)

  it("what is not confirmed is sent again, after on_open's, which is not, and before what came later", function()
    local client, conn, server = meet {
      confirm = true,
      on_open = function(event, ws) ws:send("hello " .. tostring(event.reconnected)) end,
    }
    client.ws:send "1"
    client.ws:send "2"
    receives(conn, { "hello false", "1", "2" })
    conn:reset()
    client:await "closes"
    client.ws:send "3"
    assert.equal(0, client.ws.unconfirmed)
    assert.equal(3, client.ws.queued)
    conn = server:welcome()
    receives(conn, { "hello true", "1", "2", "3" })
    assert.equal(2, client.ws:stats().resent)
    assert.equal(2, client.ws:stats().greetings)
    check_sums(client.ws, true)
  end)

  it("what on_open sends goes out once on each connection, however many are lost", function()
    local client, conn, server = meet {
      confirm = true,
      on_open = function(_, ws) ws:send("log-in " .. ws:stats().connections) end,
    }
    for number = 1, 5 do
      receives(conn, { "log-in " .. number })
      assert.equal(0, client.ws.unconfirmed)
      conn:reset()
      client:await "closes"
      conn = server:welcome()
    end
    receives(conn, { "log-in 6" })
    client.ws:send "last"
    receives(conn, { "last" })
    check_sums(client.ws, true)
  end)

  it("what on_open has sent and the connection did not take is dropped with it", function()
    local large = ("x"):rep(8 << 20)
    local client, conn, server = meet {
      on_open = function(event, ws) ws:send(event.reconnected and "again" or large) end,
    }
    client.ws:send "behind"
    client:await_stuck()
    conn:reset()
    client:await "closes"
    receives(server:welcome(), { "again", "behind" })
    assert.equal(1, check_sums(client.ws).dropped)
  end)

  it("what was confirmed is not sent again", function()
    local client, conn, server = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    client.ws:send "2"
    conn:receive_text()
    conn:reset()
    client:await "closes"
    receives(server:welcome(), { "2" })
    assert.equal(1, client.ws:stats().resent)
  end)

  it("the first message of connect() comes again as well", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url, confirm = true }, "first")
    local conn = server:welcome()
    assert.equal("first", conn:receive_text())
    conn:reset()
    client:await "closes"
    assert.equal("first", server:welcome():receive_text())
  end)

  it("it is kept when a ping is lost between connections, and each has pings of its own", function()
    local client, conn, server = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    local old = conn:receive_ping()
    conn:cut()
    client:await "closes"
    conn = server:welcome()
    assert.equal("1", conn:receive_text())
    conn:pong(conn:receive_ping())
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal(14, #old)
  end)

  it("reconnect() keeps what is not confirmed", function()
    local client, conn, server = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    client.ws:reconnect()
    receives(server:welcome(), { "1" })
    assert.equal(1, client.ws:stats().resent)
  end)

  it("the bounds of the queue are for unconfirmed messages too", function()
    local client, conn = meet { confirm = true, queue = { max_messages = 3 } }
    client.ws:send "1"
    client.ws:send "2"
    conn:receive_text()
    conn:receive_text()
    local ping = conn:receive_ping()
    assert.equal(2, client.ws.unconfirmed)
    assert.is_true(client.ws:send "3")
    local done, message, code = client.ws:send "4"
    assert.same({ nil, "prices: the queue is full", "queue_full" }, { done, message, code })
    assert.equal("3", conn:receive_text())
    assert.is_nil(client.ws:send "4")
    conn:pong(ping)
    turn.till(function() return client.ws.unconfirmed == 1 end, "the confirmation")
    assert.is_true(client.ws:send "4")
    assert.is_true(client.ws:send "5")
    assert.is_nil(client.ws:send "6")
  end)

  it("bytes that are not confirmed count as well", function()
    local client, conn = meet { confirm = true, queue = { max_bytes = 10 } }
    client.ws:send "12345678"
    conn:receive_text()
    conn:receive_ping()
    assert.is_true(client.ws:send "ab")
    assert.is_nil(client.ws:send "c")
    assert.is_true(client.ws:send "")
  end)

  it("drop_oldest drops what waits, never what was sent, and not without use", function()
    local queue = { max_bytes = 10, overflow = "drop_oldest" }
    local client, conn = meet { confirm = true, queue = queue }
    client.ws:send "12345"
    conn:receive_text()
    local ping = conn:receive_ping()
    client.ws:send "abc"
    client.ws:send "de"
    assert.is_nil(client.ws:send "123456") -- there would be no room without all of these
    assert.equal(2, client.ws.queued)
    assert.is_true(client.ws:send "fg")
    assert.equal(2, client.ws.queued)
    assert.equal(1, client.ws:stats().dropped)
    assert.equal(1, client.ws.unconfirmed)
    conn:pong(ping)
    receives(conn, { "de", "fg" })
    check_sums(client.ws, true)
  end)

  it("close() sends what is queued; the close frame that comes back confirms it", function()
    local client, conn = meet { confirm = true }
    for number = 1, 3 do client.ws:send(tostring(number)) end
    client.ws:close()
    local kinds = {}
    turn.till(function()
      for _, frame in ipairs(conn:frames()) do kinds[#kinds + 1] = frame.opcode end
      return kinds[#kinds] == Peer.OPCODE.close
    end, "the close frame")
    turn.never(function() return conn:has_input() end, "anything after the close frame", 0.05)
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.is_true(client.closes[1].clean)
    local stats = check_sums(client.ws, true)
    assert.equal(3, stats.confirmed)
    assert.equal(0, stats.dropped)
    assert.equal(0, client.ws.unconfirmed)
  end)

  it("close() gives up what a peer that dies has not confirmed, and counts it", function()
    local client, conn = meet { confirm = true }
    client.ws:send "1"
    conn:receive_text()
    client.ws:close()
    conn:reset()
    client:await_status "closed"
    local stats = check_sums(client.ws, true)
    assert.equal(0, stats.confirmed)
    assert.equal(1, stats.dropped)
    assert.equal(0, client.ws.queued)
    assert.equal(0, client.ws.unconfirmed)
  end)

  it("works with a server that is killed and started again", function()
    local server = Server.start()
    local client = watched.connect { url = server:url(), confirm = true }
    client:await "opens"
    server:freeze() -- what follows, its kernel takes, and it never reads
    for number = 1, 100 do client.ws:send(tostring(number)) end
    turn.till(function() return client.ws.unconfirmed == 100 end, "the messages to go out")
    server:kill()
    client:await "closes"
    Server.start { port = server.port }
    client:await("opens", 2)
    client:await("messages", 100)
    for number = 1, 100 do assert.equal(tostring(number), client.messages[number].data) end
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal(100, client.ws:stats().resent)
  end)
end)

describe("without confirm", function()
  after_each(watched.end_all)

  it("nothing arrives twice, and what arrives is in order, through 50 deaths", chance(function()
    local rough = rough_run(false)
    local largest = 0
    for _, number in ipairs(rough.arrived) do
      assert.is_true(number > largest, "a message came twice, or out of order")
      largest = number
    end
    assert.is_true(#rough.arrived > COUNT / 4)
    local stats = check_sums(rough.client.ws, false)
    assert.equal(COUNT, stats.accepted)
    assert.equal(COUNT, stats.sent)
    assert.equal(0, stats.resent)
    assert.equal(0, stats.confirmed)
    assert.equal(0, rough.client.ws.unconfirmed)
    assert.equal(0, rough.most_pings)
  end))

  it("no ping is sent for it", function()
    local client, conn = meet {}
    client.ws:send "1"
    conn:receive_text()
    turn.never(function() return conn:has_input() end, "a ping", 0.05)
    assert.equal(0, client.ws.unconfirmed)
  end)
end)
