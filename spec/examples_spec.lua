-- The programs in examples/, each in a process of its own, with servers of ours.

local socket = require "socket"

local Example = require "support.example"
local Peer = require "support.peer"
local Redis = require "support.redis"
local Server = require "support.server"
local turn = require "support.turn"

local OPCODE = Peer.OPCODE

after_each(function()
  Example.end_all()
  Peer.close_all()
  Server.stop_all()
  Redis.end_all()
end)

-- What a program does without is declared here: nil, or why its specs are pending.
local function without(module)
  if not pcall(require, module) then return module .. " is not there" end
end

local function spec(lacking, description, fn)
  if lacking then
    pending(("%s (%s)"):format(description, lacking))
  else
    it(description, fn)
  end
end

-- The answer to a close frame, and the end.
local function answer_close(conn, frame)
  assert.equal(OPCODE.close, frame.opcode)
  assert.equal(1000, (">I2"):unpack(frame.payload))
  conn:close(1000)
  conn:finish()
end

-- The peer answers the closing handshake, which the program began.
local function part(conn)
  answer_close(conn, conn:receive_frame())
end

local function ends_well(example)
  local result = example:result()
  assert.equal("", result.err)
  assert.equal(0, result.code)
  return result.out
end

-- "1", "2" and so on in their order, each of them; after a repetition it goes on from there.
local function assert_no_gap(numbers, last)
  local reached = 0
  for i, text in ipairs(numbers) do
    local number = math.tointeger(tonumber(text))
    assert(number, text)
    local before = math.tointeger(tonumber(numbers[i - 1] or 0))
    assert(number == before + 1 or number <= before, ("%d comes after %d"):format(number, before))
    reached = math.max(reached, number)
  end
  assert.equal(last, reached)
end

describe("examples/class.lua", function()
  -- Ten seconds of silence are too long for a spec.
  local change = { "interval = 10, timeout = 10", "interval = 0.2, timeout = 1" }

  it("puts on the wire what the class does, and its heartbeat notices a dead server", function()
    local server = Peer.listen()
    local example = Example.start("class", { server.url }, { change = change })

    local conn = server:welcome()
    assert.equal("subscribe", conn:receive_text())
    conn:text "EUR/USD 1.0842"
    example:shows("out", "(prices\topen\tEUR/USD 1.0842\n)")
    local seen = {}
    -- No answer to any ping: it drops the connection and makes another one.
    turn.till(function()
      for _, frame in ipairs(conn:frames()) do
        assert.equal(OPCODE.text, frame.opcode)
        seen[frame.payload] = true
      end
      return conn.ended
    end, "the program to give up the connection")
    assert.same({ ["how much?"] = true, ["ping"] = true }, seen)

    conn = server:welcome()
    local texts = {}
    repeat
      local text = conn:receive_text()
      texts[#texts + 1] = text
      if text == "ping" then conn:text "pong" end
    until text == "bye"
    for _, text in ipairs(texts) do assert.not_equal("subscribe", text) end
    conn:text "bye"
    local frame = conn:receive_frame()
    while frame.opcode == OPCODE.text do frame = conn:receive_frame() end
    answer_close(conn, frame)

    assert.equal("idle\nprices\topen\tEUR/USD 1.0842\nprices\topen\tbye\nclosed\n",
      ends_well(example))
  end)
end)

describe("examples/echo.lua", function()
  it("sends hello and a number every half second, and ends after six echoes", function()
    local server = Server.start()
    local out = ends_well(Example.start("echo", { server:url() }))
    assert.match("^%S+  connected\n%S+  message: hello\n%S+  message: message 1\n", out)
    assert.match("message: message 5\n%S+  closed %(code 1000, clean%)\n$", out)
  end)

  it("closes the connection at Ctrl-C, without a traceback", function()
    local server = Peer.listen()
    local example = Example.start("echo", { server.url })
    local conn = server:welcome()
    conn:receive_text()
    example:signal "INT"
    local frame = conn:receive_frame()
    while frame.opcode == OPCODE.text do frame = conn:receive_frame() end
    answer_close(conn, frame)
    local result = example:result()
    assert.equal("", result.err)
    assert.match("connected\n%S+  closed %(code 1000, clean%)\n$", result.out)
    assert.equal(130, result.code)
  end)

  it("ends at Ctrl-C while there is no server", function()
    local example = Example.start("echo", { "ws://127.0.0.1:1/" })
    example:shows("out", "(connection refused)")
    example:signal "INT"
    local result = example:result()
    assert.equal("", result.err)
    assert.equal(130, result.code)
  end)
end)

describe("examples/ticker.lua", function()
  local function subscribed(server)
    local conn = server:welcome()
    assert.equal("subscribe EUR/USD", conn:receive_text())
    assert.equal("subscribe GBP/USD", conn:receive_text())
    return conn
  end

  it("subscribes again after each reconnection, and prices go on", function()
    local server = Peer.listen()
    server:close()
    local example = Example.start("ticker", { server.url, 3 })
    example:shows("out", "^(no prices: ticker: ws://[^\n]*refused)")
    server:open_again()
    local conn = subscribed(server)
    conn:text "EUR/USD 1.1"
    example:shows("out", "(EUR/USD 1.1\n)")
    conn:cut()
    conn = subscribed(server)
    conn:text "EUR/USD 1.2"
    conn:text "GBP/USD 1.3"
    part(conn)
    local out = ends_well(example)
    assert.match("\nconnected\n%S+\tEUR/USD 1.1\n"
      .. "no prices: the connection ended %(code 1006%); next attempt in %d+%.%d s\n", out)
    assert.match("\nconnected again\n%S+\tEUR/USD 1.2\n%S+\tGBP/USD 1.3\n$", out)
  end)

  it("works with the server that examples/README.md names", function()
    local server = Server.start()
    local out = ends_well(Example.start("ticker", { server:url "/prices?every=0.01", 5 }))
    assert.match("\tEUR/USD %d%.%d+\n", out)
    assert.match("\tGBP/USD %d%.%d+\n", out)
    assert.equal(5, select(2, out:gsub("/USD", ""))) -- others came before the server heard of the end
  end)
end)

describe("examples/confirmed.lua", function()
  local record

  before_each(function() record = os.tmpname() end)
  after_each(function() os.remove(record) end)

  local function recorded()
    local numbers = {}
    for line in io.lines(record) do numbers[#numbers + 1] = line end
    return numbers
  end

  it("has the server read every message, in order, across a crash of it", function()
    local server = Server.start()
    local path = "/record?file=" .. record
    local example = Example.start("confirmed", { server:url(path), 60 })
    turn.till(function() return #recorded() >= 5 end, "five messages to be read")
    server:freeze()
    example:shows("out", "( [1-9]%d* unconfirmed)") -- its kernel took them, and it never reads them
    server:kill()
    example:shows("out", "(the connection ended %(code 1006%))")
    Server.start { port = server.port }
    local out = ends_well(example)
    local again = out:match "\n60 accepted: 60 confirmed, 0 unconfirmed, 0 queued; (%d+) sent again"
    assert(tonumber(again) > 0, out)
    assert_no_gap(recorded(), 60)
  end)
end)

describe("examples/login.lua", function()
  local lacking = without "socket.http"

  local function login_url(server, password)
    return ("http://user:%s@127.0.0.1:%d/token"):format(password, server.port)
  end

  spec(lacking, "fetches a new token when the old one has expired", function()
    local server = Server.start()
    local example = Example.start("login", { server:url "/private", login_url(server, "secret") })
    example:shows("out", "(welcome, token%-1\n)")
    server:command "drop" -- not expired yet: no other token is needed
    example:shows("out", "welcome, token%-1\n.*(welcome, token%-1\n)")
    server:command "expire"
    server:command "drop"
    example:shows("out", "(welcome, token%-2\n)")
    server:command "close 1000"
    local out = ends_well(example)
    assert.match("ended: 1006\n[^\n]* answered 401[^\n]*\nlogged in\nwelcome, token%-2\n"
      .. "the connection ended: 1000\n$", out)
    assert.equal(1, select(2, out:gsub("answered 401", "")))
  end)

  spec(lacking, "tries again when there is no token, and does not tell the password", function()
    local server = Server.start()
    local example = Example.start("login", { server:url "/private", login_url(server, "wrong") })
    local shown = example:shows("out", "^(.*no token: 401\n.*no token: 401\n)")
    assert.not_match("wrong", shown)
    assert.not_match("logged in", shown)
  end)

  spec(lacking, "slows down when new tokens are not taken either", function()
    local server = Peer.listen()
    local example = Example.start("login", { server.url, login_url(server, "secret") })
    local refusals, taken = 0, 0
    turn.never(function()
      while server:arrivals() > taken do
        local conn = server:accept()
        taken = taken + 1
        if conn:request().path == "/token" then
          conn:reply("HTTP/1.1 200 OK", { ["Content-Length"] = 3 }, "new")
        else
          conn:reply("HTTP/1.1 401 Unauthorized", { ["Content-Length"] = 0 })
          refusals = refusals + 1
        end
        conn:finish()
      end
      return refusals > 20
    end, "more than twenty refusals", 1)
    example:shows("out", "(answered 401)")
  end)
end)

describe("examples/redis_stream.lua", function()
  local lacking = Redis.lacking()
  lacking = lacking and lacking .. " is not there"

  -- A list of names and values as a table.
  local function fields(list)
    local result = {}
    for i = 1, #list, 2 do result[list[i]] = list[i + 1] end
    return result
  end

  local function number_in(entry)
    return fields(entry[2]).data:match "%d+"
  end

  local function assert_stored(redis, last)
    turn.till(function()
      local entry = redis.client:xrevrange("feed", "+", "-", "COUNT", 1)[1]
      return entry and number_in(entry) == tostring(last)
    end, "the last entry", 10)
    local numbers = {}
    for i, entry in ipairs(redis.client:xrange("feed", "-", "+")) do
      numbers[i] = number_in(entry)
    end
    assert_no_gap(numbers, last)
  end

  spec(lacking, "has the whole feed shared by the consumers of a group, in order", function()
    local redis, feed = Redis.start(), Server.start()
    local client, count = redis.client, 300
    client:xgroup("CREATE", "feed", "workers", "0", "MKSTREAM")
    local example = Example.start("redis_stream",
      { feed:url("/count?n=" .. count), redis:url() })

    local all, shares, turns = {}, { one = 0, two = 0 }, 0
    turn.till(function()
      turns = turns + 1
      local consumer = turns % 2 == 0 and "one" or "two"
      local reply = client:xreadgroup("GROUP", "workers", consumer, "COUNT", 7, "STREAMS", "feed",
        ">")
      for _, entry in ipairs(reply and reply[1][2] or {}) do
        local values = fields(entry[2])
        assert.equal("text", values.kind)
        all[#all + 1] = values.data
        shares[consumer] = shares[consumer] + 1
        client:xack("feed", "workers", entry[1])
      end
      return #all >= count
    end, "all entries", 10)

    for i = 1, count do assert.equal(tostring(i), all[i]) end
    assert(shares.one > 0 and shares.two > 0)
    assert.equal(0, client:xpending("feed", "workers")[1])
    feed:command "close 1000"
    assert.equal(0, example:result().code)
    assert.equal(count, client:xlen "feed")
  end)

  spec(lacking, "loses nothing while Redis is down, or hangs", function()
    local redis, feed = Redis.new(), Peer.listen()
    local example = Example.start("redis_stream", { feed.url, redis:url() }, {
      change = { "WebSocket.sleep(1)", "WebSocket.sleep(0.1)" },
    })
    local conn = feed:welcome()
    local last = 0
    local function send(count)
      local frames = {}
      for i = 1, count do
        frames[i] = Peer.encode("text", tostring(last + i) .. (" "):rep(500))
      end
      conn:send(table.concat(frames))
      last = last + count
    end

    send(10)
    example:shows("err", "(could not connect to [^\n]*; trying again\n)")
    assert(redis:open())
    assert_stored(redis, last)

    redis.client:save()
    redis:stop()
    send(1500) -- more than the inbox takes
    example:shows("err", "(closed; trying again\n)")
    assert(redis:open())
    assert_stored(redis, last)

    redis:freeze()
    send(1)
    example:shows("err", "(timeout; trying again\n)")
    redis:thaw()
    send(10)
    assert_stored(redis, last)

    conn:close(1000)
    conn:receive_close()
    conn:finish()
    assert.equal(0, example:result().code)
  end)

  spec(lacking, "holds the feed back while Redis is down", function()
    local redis, feed = Redis.new(), Peer.listen()
    Example.start("redis_stream", { feed.url, redis:url() })
    local conn = feed:welcome()
    local frame, taken = Peer.encode("text", ("x"):rep(64 * 1024)), 0
    turn.till_still(function()
      local last, _, part_of_it = conn.socket:send(frame)
      -- What was cut in the middle makes no frames, but bytes that are to be read all the same.
      taken = taken + (last or part_of_it)
      return taken
    end, "the feed to stand still")
    assert(taken < 64 * 1024 * 1024, taken)
  end)
end)

describe("examples/chat.lua", function()
  local lacking = without "luv"

  spec(lacking, "sends the lines of a pipe as they come, and prints what comes meanwhile", function()
    local server = Peer.listen()
    local example = Example.start("chat", { server.url })
    local conn = server:welcome()
    example:write "one\ntwo\nhalf a li"
    assert.equal("one", conn:receive_text())
    assert.equal("two", conn:receive_text())
    conn:text "an\27[2J answer"
    example:shows("out", "(< an%?%[2J answer\n)")
    example:write "ne\nthe rest"
    assert.equal("half a line", conn:receive_text())
    example:close()
    assert.equal("the rest", conn:receive_text())
    part(conn)
    ends_well(example)
  end)

  spec(lacking, "sends what was read before there was a server, and then ends", function()
    local server = Peer.listen()
    server:close()
    local example = Example.start("chat", { server.url }, { input = "one\ntwo\n" })
    example:shows("out", "(connection refused)")
    server:open_again()
    local conn = server:welcome()
    assert.equal("one", conn:receive_text())
    assert.equal("two", conn:receive_text())
    part(conn)
    assert.match("%* connection ended %(code 1000%)\n$", ends_well(example))
  end)

  -- Some containers have no pseudo-terminals.
  local no_terminal = not os.execute "LD_PRELOAD= script -qec true /dev/null >/dev/null 2>&1"
    and "script (util-linux) makes no terminal here"

  spec(lacking or no_terminal, "sends the lines of a terminal, and ends with Ctrl-D", function()
    local server = Peer.listen()
    local example = Example.start("chat", { server.url }, { terminal = true })
    local conn = server:welcome()
    example:write "hello\n"
    assert.equal("hello", conn:receive_text())
    conn:text "hello yourself"
    example:shows("out", "(< hello yourself\r\n)")
    example:write "\4"
    part(conn)
    assert.equal(0, example:result().code)
  end)
end)

describe("examples/luv.lua", function()
  local lacking = without "luv"

  local function start(url)
    local example = Example.start("luv", { url, 0 })
    return example, tonumber(example:shows("out", "listening on port (%d+)\n"))
  end

  local function program(port)
    local one = assert(socket.connect("127.0.0.1", port))
    one:settimeout(0)
    return one
  end

  local function hears(one, expected)
    local got = ""
    turn.till(function()
      local _, reason, part_of_it = one:receive(1000)
      assert(reason == "timeout", reason)
      got = got .. part_of_it
      return got == expected
    end, expected)
  end

  spec(lacking, "relays lines and messages between programs and the server", function()
    local server = Peer.listen()
    local example, port = start(server.url)
    local conn = server:welcome()
    local one, two = program(port), program(port)
    one:send "first\nhalf a "
    assert.equal("first", conn:receive_text())
    two:send "second\n"
    assert.equal("second", conn:receive_text())
    one:send "line\n"
    assert.equal("half a line", conn:receive_text())
    conn:text "to all"
    hears(one, "to all\n")
    hears(two, "to all\n")
    one:send "\xFF\n"
    hears(one, [[not sent: relay: the text is not UTF-8; send it as "binary"]] .. "\n")
    two:close()

    conn:cut()
    example:shows("err", "(attempt[^\n]*)")
    one:send "while it was down\n"
    conn = server:welcome()
    assert.equal("while it was down", conn:receive_text())

    example:signal "INT"
    part(conn)
    assert.equal(0, example:result().code)
    one:close()
  end)

  spec(lacking, "reads no faster than the server takes it, and loses nothing", function()
    local server = Peer.listen()
    local example, port = start(server.url)
    local conn = server:accept()
    conn:request() -- no answer yet
    local one, line = program(port), ("x"):rep(32 * 1024 - 1) .. "\n"
    local sent = 0
    turn.till_still(function()
      local last, _, part_of_it = one:send(line, sent % #line + 1)
      sent = sent - sent % #line + (last or part_of_it)
      return sent
    end, "the relay to stop reading", nil, 1024 * 1024)
    assert(sent < 64 * 1024 * 1024, sent)

    conn:upgrade()
    local whole, received = sent // #line, 0
    turn.till(function()
      for _, frame in ipairs(conn:frames()) do
        assert.equal(#line - 1, #frame.payload)
        received = received + 1
      end
      return received == whole
    end, "all lines", 20)
    example:signal "INT"
    part(conn)
    assert.equal(0, example:result().code)
    one:close()
  end)
end)

describe("examples/cqueues.lua", function()
  local lacking = without "cqueues"

  spec(lacking, "follows two feeds at once, across a reconnection, until Ctrl-C", function()
    local server = Peer.listen()
    local example = Example.start("cqueues", { server.url },
      { change = { "cqueues.sleep(1)", "cqueues.sleep(0.1)" } })
    local conns = {}
    local function welcome()
      local conn = server:welcome()
      conns[conn:receive_text()] = conn
    end
    welcome()
    welcome()
    conns["subscribe EUR/USD"]:text "EUR/USD 1.1"
    conns["subscribe GBP/USD"]:text "GBP/USD 1.2"
    example:shows("out", "(EUR/USD 1.1\tGBP/USD 1.2\n)")
    conns["subscribe EUR/USD"]:cut()
    conns["subscribe EUR/USD"] = nil
    welcome()
    conns["subscribe EUR/USD"]:text "EUR/USD 1.3"
    example:shows("out", "(EUR/USD 1.3\tGBP/USD 1.2\n)")
    example:signal "INT"
    part(conns["subscribe EUR/USD"])
    part(conns["subscribe GBP/USD"])
    assert.equal(0, example:result().code)
  end)
end)

describe("examples/frames.lua", function()
  local function figures(out)
    local frames, back, longest =
      out:match "^(%d+) frames, (%d+) messages back; the longest step took ([%d.]+) ms\n$"
    return tonumber(frames), tonumber(back), tonumber(longest)
  end

  it("sends a position in each of its frames, no faster than 60 a second", function()
    local server = Peer.listen()
    local start = socket.gettime()
    local example = Example.start("frames", { server.url, 1 })
    local conn = server:welcome()
    local first, last, count = nil, nil, 0
    local frame = conn:receive_frame()
    while frame.opcode == OPCODE.text do
      local position = math.tointeger(tonumber(frame.payload:match "^position (%d+)$"))
      assert.equal((last or position - 1) + 1, position)
      first, last, count = first or position, position, count + 1
      conn:text(frame.payload)
      frame = conn:receive_frame()
    end
    answer_close(conn, frame)
    local frames, back, longest = figures(ends_well(example))
    assert.equal(60, frames)
    assert.equal(60, last)
    assert.equal(count, last - first + 1)
    assert(back > 0 and back <= count, back)
    assert(longest > 0 and longest < (socket.gettime() - start) * 1000, longest)
    assert(socket.gettime() - start >= 1)
  end)

  it("goes on drawing while the server does not answer", function()
    local server = Peer.listen()
    local example = Example.start("frames", { server.url, 0.5 })
    assert(server:accept():request())
    local frames, back = figures(ends_well(example)) -- long before connect_timeout
    assert.equal(30, frames)
    assert.equal(0, back)
  end)
end)
