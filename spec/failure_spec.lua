local socket = require "socket"

local Peer = require "support.peer"
local silent = require "support.silent"
local turn = require "support.turn"
local watched = require "support.watched"

local function near(expected, actual)
  assert.is_true(
    math.abs(expected - actual) < 1e-6,
    ("expected %g, got %s"):format(expected, tostring(actual))
  )
end

-- An on_error event, as far as `expected` goes; message is what follows "name: url: ".
local function check_error(event, expected, url)
  assert.equal(expected.kind, event.kind)
  assert.equal(("prices: %s: %s"):format(url, expected.message), event.message)
  assert.equal(expected.http_status, event.http_status)
  assert.equal(expected.http_status ~= nil, event.http_headers ~= nil)
  assert.equal(url, event.url)
  assert.equal(1, event.attempt)
  assert.is_true(event.will_reconnect)
  near(expected.delay or watched.delay, event.delay)
end

-- Has an attempt fail by spoil(conn), and sees what it comes to: one error, one connection, and a
-- second attempt that sends what was queued.
local function fails(spoil, expected, options)
  local server = Peer.listen()
  options = options or {}
  options.url, options.name = server.url, "prices"
  local client = watched.new(options)
  assert(client.ws:send "queued")
  assert(client.ws:connect "first")
  local conn = server:accept()
  spoil(conn, client)
  local event = client:await "errors"
  check_error(event, expected, server.url)
  assert.equal(event.message, client.ws.last_error)
  assert.equal("connecting on_error waiting", client:told(1))
  assert.equal(2, client.ws.queued)
  turn.till(function()
    conn:has_input()
    assert.is_true(conn.ended or server:arrivals() == 1, "a second connection beside the first")
    return conn.ended
  end, "the client to hang up")
  if expected.delay then client.ws:reconnect() end -- not to wait that long

  conn = server:welcome()
  assert.equal("first", conn:receive_text())
  assert.equal("queued", conn:receive_text())
  local attempt = expected.delay and 1 or 2
  local open = client:await "opens"
  assert.is_false(open.reconnected)
  assert.equal(attempt, open.attempt)
  assert.equal("connecting on_error waiting connecting on_open open", client:told())
  assert.equal(2, server:arrivals())
  return event
end

-- Reads the request and answers.
local function answers(status, headers, body)
  return function(conn)
    conn:request()
    conn:reply(status, headers, body)
  end
end

local function upgrades(options)
  return function(conn) conn:upgrade(options) end
end

local function end_all()
  watched.end_all()
  silent.close_all()
end

-- A port at which nothing listens.
local function free_port()
  local server = Peer.listen()
  server:close()
  return server.port
end

describe("an attempt to connect that fails", function()
  after_each(end_all)

  describe("before there is a connection", function()
    it("because nothing listens: refused", function()
      local server = Peer.listen()
      server:close()
      local client = watched.new { url = server.url, name = "prices" }
      client.ws:send "queued"
      client.ws:connect()
      check_error(client:await "errors", {
        kind = "refused",
        message = "connection refused: nothing listens on that port",
      }, server.url)
      assert.equal("connecting on_error waiting", client:told(1))
      server:open_again()
      assert.equal("queued", server:welcome():receive_text())
      assert.is_false(client:await("opens").reconnected)
      assert.equal(0, #client.closes)
    end)

    it("because nothing listens at an IPv6 address: refused", function()
      local server = Peer.listen { address = "::1" }
      server:close()
      local client = watched.connect { url = server.url, name = "prices" }
      check_error(client:await "errors", {
        kind = "refused",
        message = "connection refused: nothing listens on that port",
      }, server.url)
    end)

    it("because the address cannot be reached: unreachable", function()
      local url = "ws://255.255.255.255:9/"
      local client = watched.connect { url = url, name = "prices" }
      local event = client:await "errors"
      assert.equal("unreachable", event.kind)
      assert.equal(
        ("prices: %s: cannot be reached: "):format(url),
        event.message:match "^(.*: )[%a ]+$"
      )
    end)

    it("because the name does not resolve: dns", function()
      local url = "ws://no-such-host.invalid:9/"
      local client = watched.connect { url = url, name = "prices" }
      local event = client:await("errors", 1, 20)
      assert.equal("dns", event.kind)
      local message = 'cannot resolve "no-such-host.invalid": '
      assert.equal(
        ("prices: %s: %s"):format(url, message),
        event.message:match "^(.*: )[%a ]+$"
      )
      assert.equal("connecting on_error waiting", client:told(1))
      client:await("errors", 2, 20)
    end)

    it("because the address is silent: timeout", function()
      local url = ("ws://127.0.0.1:%d/"):format(silent.listen())
      local client = watched.connect { url = url, name = "prices", connect_timeout = 0.2 }
      local start = socket.gettime()
      local event = client:await "errors"
      assert.is_true(socket.gettime() - start > 0.19)
      check_error(event, { kind = "timeout", message = "no connection within 0.2 s" }, url)
      client:await("errors", 2)
      assert.equal("connecting on_error waiting connecting on_error waiting", client:told(2))
    end)

    it("each time until the last of max_attempts, and is closed then", function()
      local url = ("ws://127.0.0.1:%d/"):format(free_port())
      local client = watched.connect {
        url = url,
        reconnect = { min_delay = 0.01, max_delay = 0.04, jitter = 0, max_attempts = 4 },
      }
      client:await_status "closed"
      local delays = {}
      for number, event in ipairs(client.errors) do
        assert.equal(number, event.attempt)
        assert.equal(number < 4, event.will_reconnect)
        delays[number] = event.delay or "none"
      end
      assert.same({ 0.01, 0.02, 0.04, "none" }, delays)
      local again = "on_error waiting connecting "
      assert.equal("connecting " .. again:rep(3) .. "on_error closed", client:told())
    end)

    it("and closes a client that shall not reconnect, which keeps its queue", function()
      local server = Peer.listen()
      server:close()
      local client = watched.new { url = server.url, reconnect = false }
      client.ws:send "queued"
      client.ws:connect()
      local event = client:await "errors"
      assert.is_false(event.will_reconnect)
      assert.is_nil(event.delay)
      assert.equal("connecting on_error closed", client:told())
      assert.equal(1, client.ws.queued)
      server:open_again()
      assert.is_true(client.ws:connect())
      assert.equal("queued", server:welcome():receive_text())
    end)
  end)

  describe("because the server answers", function()
    local ANSWERS = {
      ["200 OK"] = { 200, "OK" },
      ["401 Unauthorized"] = { 401, "Unauthorized", { ["WWW-Authenticate"] = 'Basic realm="r"' } },
      ["403 Forbidden"] = { 403, "Forbidden" },
      ["404 Not Found"] = { 404, "Not Found" },
      ["500 Internal Server Error"] = { 500, "Internal Server Error" },
      ["503 Service Unavailable"] = { 503, "Service Unavailable" },
    }
    for name, answer in pairs(ANSWERS) do
      local status, reason, more = table.unpack(answer)
      local expected = {
        kind = "http",
        message = ("the server answered %d %s"):format(status, reason),
        http_status = status,
      }
      local headers = { ["Content-Length"] = "6", ["X-Request-Id"] = "r-1" }
      for key, value in pairs(more or {}) do headers[key] = value end

      it(name .. ": http", function()
        local event = fails(answers("HTTP/1.1 " .. name, headers, "denied"), expected)
        assert.equal("denied", event.http_body)
        for key, value in pairs(headers) do
          assert.equal(value, event.http_headers[key:lower()])
        end
      end)

      it(name .. " and ends the connection: http", function()
        fails(function(conn)
          conn:request()
          conn:reply("HTTP/1.1 " .. name, { ["Connection"] = "close" }, "denied")
          conn:finish()
        end, expected)
      end)

      it(name .. " without a body or a length: http", function()
        fails(answers("HTTP/1.1 " .. name), expected)
      end)
    end

    it("404 in HTTP/1.0: http", function()
      fails(answers("HTTP/1.0 404 Not Found"), {
        kind = "http",
        message = "the server answered 404 Not Found",
        http_status = 404,
      })
    end)

    it("with no reason: http", function()
      fails(answers("HTTP/1.1 429 ", { ["Content-Length"] = "0" }), {
        kind = "http",
        message = "the server answered 429",
        http_status = 429,
      })
    end)

    it("404 with a chunked body: http", function()
      local headers = { ["Transfer-Encoding"] = "chunked" }
      fails(answers("HTTP/1.1 404 Not Found", headers, "6\r\ndenied\r\n0\r\n\r\n"), {
        kind = "http",
        message = "the server answered 404 Not Found",
        http_status = 404,
      })
    end)

    it("403 with a megabyte behind it: http", function()
      local size = 1 << 20
      fails(function(conn)
        conn:request()
        local headers = { ["Content-Length"] = tostring(size) }
        -- Not all of it need be taken: the answer is known from its head.
        pcall(conn.reply, conn, "HTTP/1.1 403 Forbidden", headers, ("x"):rep(size))
      end, {
        kind = "http",
        message = "the server answered 403 Forbidden",
        http_status = 403,
      })
    end)

    for _, status in ipairs { 301, 302, 307, 308 } do
      it(status .. " with a Location, which is told and not followed: http", function()
        local other = Peer.listen()
        local headers = { ["Location"] = other.url, ["Content-Length"] = "0" }
        local event = fails(answers(("HTTP/1.1 %d Moved"):format(status), headers), {
          kind = "http",
          message = ("the server answered %d Moved, to %s; redirects are not followed, "
            .. "unless the option redirects allows it"):format(status, other.url),
          http_status = status,
        })
        assert.equal(other.url, event.http_headers.location)
        assert.equal(0, other:arrivals())
      end)
    end

    it("302 without a Location: http", function()
      fails(answers("HTTP/1.1 302 Found", { ["Content-Length"] = "0" }), {
        kind = "http",
        message = "the server answered 302 Found",
        http_status = 302,
      })
    end)

    it("403 with two cookies, which are there one by one: http", function()
      local cookies = { "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "b=2" }
      local event = fails(answers("HTTP/1.1 403 Forbidden", { ["Set-Cookie"] = cookies }), {
        kind = "http",
        message = "the server answered 403 Forbidden",
        http_status = 403,
      })
      assert.same(cookies, event.http_headers["set-cookie"])
    end)

    it("503 with a Retry-After, which is longer than the delay would be: http", function()
      local headers = { ["Retry-After"] = "120", ["Content-Length"] = "0" }
      local event = fails(answers("HTTP/1.1 503 Service Unavailable", headers), {
        kind = "http",
        message = "the server answered 503 Service Unavailable",
        http_status = 503,
        delay = 120,
      })
      assert.equal("120", event.http_headers["retry-after"])
    end)

    it("429 with a Retry-After of a day, of which an hour counts: http", function()
      fails(answers("HTTP/1.1 429 Too Many Requests", { ["Retry-After"] = "86400" }), {
        kind = "http",
        message = "the server answered 429 Too Many Requests",
        http_status = 429,
        delay = 3600,
      })
    end)

    it("503 with a Retry-After that is a date: http", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:accept()
      conn:request()
      local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 100)
      conn:reply("HTTP/1.1 503 Busy", { ["Retry-After"] = date, ["Content-Length"] = "0" })
      local delay = client:await("errors").delay
      assert.is_true(delay > 90 and delay <= 100, "a delay of " .. delay)
    end)

    it("503 with a Retry-After that makes no sense, or is shorter: http", function()
      local past = "Wed, 21 Oct 2015 07:28:00 GMT"
      for _, value in ipairs { "soon", "-5", "0", "nan", "0x10", "1e3", "7 s", past } do
        fails(answers("HTTP/1.1 503 Service Unavailable", { ["Retry-After"] = value }), {
          kind = "http",
          message = "the server answered 503 Service Unavailable",
          http_status = 503,
        })
      end
    end)
  end)

  describe("because the server does not speak HTTP:", function()
    local NOISE = {
      ["a line of text"] = "220 mail.example ESMTP ready\r\n",
      ["binary"] = "\0\1\2\3\255\254\253\0\0\0\0\16\32\64\128",
      ["many lines"] = ("what do you want?\r\n"):rep(50),
      ["a frame"] = Peer.encode("text", "too early"),
    }
    for name, noise in pairs(NOISE) do
      for what, is_end in pairs { ["the end"] = true, nothing = false } do
        it(("%s, and then %s"):format(name, what), function()
          fails(function(conn)
            conn:request()
            conn:send(noise)
            if is_end then conn:finish() end
          end, { kind = "handshake", message = "the answer to the upgrade is not HTTP/1.1" })
        end)
      end
    end
  end)

  describe("because the server ends the connection", function()
    local CLOSED = {
      kind = "handshake",
      message = "the server closed the connection instead of answering the upgrade",
    }
    local CUT = {
      kind = "handshake",
      message = "the server closed the connection in the middle of its answer to the upgrade",
    }
    local ENDS = {
      ["in good order"] = function(conn) conn:finish() end,
      ["with a reset"] = function(conn) conn:reset() end,
    }
    for name, finish in pairs(ENDS) do
      it(name .. ", at once", function()
        fails(finish, CLOSED)
      end)

      it(name .. ", after the request", function()
        fails(function(conn)
          conn:request()
          finish(conn)
        end, CLOSED)
      end)

      it(name .. ", in the middle of the status line", function()
        fails(function(conn)
          conn:request()
          conn:send "HTTP/1.1 10"
          turn.once()
          finish(conn)
        end, CUT)
      end)

      it(name .. ", in the middle of the headers", function()
        fails(function(conn)
          conn:request()
          conn:send "HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso"
          turn.once()
          finish(conn)
        end, CUT)
      end)
    end

    -- In a process of its own, since the peers of this one are too slow to reset a connection
    -- before the client has seen that it is there.
    local RESETTER = [[
import socket, struct, sys
listener = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write("%d\n" % listener.getsockname()[1])
for number in range(1000):
    connection = listener.accept()[0]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    open(sys.argv[1], "a").write("x")
]]

    local function read(path)
      local file <close> = assert(io.open(path))
      return file:read("n", "l", "a")
    end

    for scheme, expected in pairs {
      ws = CLOSED,
      wss = { kind = "tls", message = "the TLS handshake failed: the server ended the connection" },
    } do
      it(("with a reset, at once and each time, as a server of %s://"):format(scheme), function()
        local path = os.tmpname()
        local pid = io.popen(
          ("exec /usr/bin/python3 -c '%s' %s & echo $!"):format(RESETTER, path)
        ):read "n"
        local port = turn.till(function() return (read(path)) end, "the server", 10)
        local url = ("%s://127.0.0.1:%d/"):format(scheme, port)
        local client = watched.connect {
          url = url,
          name = "prices",
          reconnect = { min_delay = 0.001, max_delay = 0.001, jitter = 0, max_attempts = 50 },
        }
        client:await_status "closed"
        turn.till(function()
          return #select(3, read(path)) >= 50
        end, "the last connection")
        os.execute("kill " .. pid)
        for _, event in ipairs(client.errors) do
          assert.equal(("prices: %s: %s"):format(url, expected.message), event.message)
          assert.equal(expected.kind, event.kind)
        end
        assert.equal(50, #select(3, read(path)), "connections in 50 attempts")
        os.remove(path)
      end)
    end
  end)

  describe("because the upgrade is broken:", function()
    local function handshake(message)
      return { kind = "handshake", message = message, http_status = 101 }
    end

    local BROKEN = {
      ["Sec-WebSocket-Accept is of another key"] = {
        { headers = { ["Sec-WebSocket-Accept"] = Peer.accept_value "another key" } },
        ("the answer's Sec-WebSocket-Accept header does not belong to our key: %q"):format(
          Peer.accept_value "another key"
        ),
      },
      ["Sec-WebSocket-Accept is missing"] = {
        { headers = { ["Sec-WebSocket-Accept"] = false } },
        "the answer has no Sec-WebSocket-Accept header",
      },
      ["it is in HTTP/1.0"] = {
        { status = "HTTP/1.0 101 Switching Protocols" },
        "the answer is one of HTTP/1.0, which knows no upgrade",
      },
      ["Upgrade is missing"] = {
        { headers = { ["Upgrade"] = false } },
        "the answer has no Upgrade header",
      },
      ["Upgrade is something else"] = {
        { headers = { ["Upgrade"] = "h2c" } },
        'the answer\'s Upgrade header is not "websocket": "h2c"',
      },
      ["Connection is missing"] = {
        { headers = { ["Connection"] = false } },
        "the answer has no Connection header",
      },
      ["Connection does not list Upgrade"] = {
        { headers = { ["Connection"] = "close" } },
        'the answer\'s Connection header does not list "Upgrade": "close"',
      },
      ["a subprotocol where none was offered"] = {
        { protocol = "chat" },
        "the answer's Sec-WebSocket-Protocol header is not a subprotocol that we offered: \"chat\"",
      },
      ["an extension, of which none was offered"] = {
        { headers = { ["Sec-WebSocket-Extensions"] = "permessage-deflate" } },
        "the answer's Sec-WebSocket-Extensions header has an extension, we offered none: "
          .. '"permessage-deflate"',
      },
    }
    for name, case in pairs(BROKEN) do
      it(name, function()
        fails(upgrades(case[1]), handshake(case[2]))
      end)
    end

    it("a subprotocol other than those that were offered", function()
      fails(
        upgrades { protocol = "Chat" },
        handshake(
          "the answer's Sec-WebSocket-Protocol header is not a subprotocol that we offered: "
            .. '"Chat"'
        ),
        { protocols = { "chat", "other" } }
      )
    end)

    it("headers of more than 16 KiB", function()
      fails(upgrades { headers = { ["Set-Cookie"] = ("c"):rep(20000) } }, {
        kind = "handshake",
        message = "the answer to the upgrade has a head of over 16 KiB",
      })
    end)

    it("a TLS alert, since the server speaks TLS", function()
      fails(function(conn)
        conn:request()
        conn:send "\21\3\1\0\2\2\70" -- protocol_version
      end, {
        kind = "handshake",
        message = "the server answers in TLS: the URL of a server that speaks TLS begins with wss://",
      })
    end)

    for _, status in ipairs { "+101", "0101", "1010", "10", "101x" } do
      it("the status " .. status, function()
        fails(upgrades { status = "HTTP/1.1 " .. status .. " Switching Protocols" }, {
          kind = "handshake",
          message = "the answer to the upgrade is not HTTP/1.1",
        })
      end)
    end

    it("a thousand headers", function()
      local headers = {}
      for number = 1, 1000 do headers["X-Header-" .. number] = ("v"):rep(50) end
      fails(upgrades { headers = headers }, {
        kind = "handshake",
        message = "the answer to the upgrade has a head of over 16 KiB",
      })
    end)
  end)

  describe("because the server is silent:", function()
    local SILENCE = {
      kind = "timeout",
      message = "no complete HTTP answer to the upgrade within 0.2 s",
    }

    it("after the request", function()
      fails(function(conn) conn:request() end, SILENCE, { connect_timeout = 0.2 })
    end)

    it("in the middle of the answer", function()
      fails(function(conn)
        conn:request()
        conn:send "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      end, SILENCE, { connect_timeout = 0.2 })
    end)

    it("but for a byte now and then, which does not put off connect_timeout", function()
      fails(function(conn, client)
        conn:request()
        conn:send "HTTP/1.1 101 Switching Protocols\r\nX-Slow: "
        local next_byte = 0
        turn.till(function()
          if socket.gettime() >= next_byte then
            conn.socket:send "s"
            next_byte = socket.gettime() + 0.01
          end
          return client.errors[1]
        end, "connect_timeout")
      end, SILENCE, { connect_timeout = 0.2 })
    end)
  end)

  it("is told when the headers are more than a request holds, and nothing is sent", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, headers = { ["X-Long"] = ("x"):rep(4 << 20) } }
    local conn = server:accept()
    local event = client:await "errors"
    assert.equal("handshake", event.kind)
    assert.matches("the request has 41%d+ bytes, more than %d+ KiB$", event.message)
    conn:closed()
    assert.equal("", conn.inbox)
  end)

  it("does not end the others on the same loop", function()
    local server = Peer.listen()
    local good = watched.connect { url = server.url }
    local conn = server:welcome()
    local bad = watched.connect { url = ("ws://127.0.0.1:%d/"):format(free_port()) }
    bad:await("errors", 3)
    conn:text "still here"
    assert.equal("still here", good:await("messages").data)
    assert.equal(0, #good.errors)
  end)

  it("tries the next URL of a list, and comes round to the first", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect { url = { first.url, second.url } }
    local conn = first:accept()
    conn:request()
    conn:reply "HTTP/1.1 503 Busy"
    conn = second:accept()
    conn:request()
    conn:reply "HTTP/1.1 503 Busy"
    first:welcome()
    assert.equal(3, client:await("opens").attempt)
    assert.equal(first.url, client.opens[1].url)
    assert.equal(first.url, client.errors[1].url)
    assert.equal(second.url, client.errors[2].url)
    assert.equal(1, second:arrivals())
    assert.equal(2, first:arrivals())
  end)
end)

describe("close() ends a client", function()
  after_each(end_all)

  -- What the story must be after close(), and nothing must follow.
  local function is_closed_at_once(client, server, story)
    local arrivals = server and server:arrivals()
    assert.is_true(client.ws:close())
    assert.equal("closing", client.ws.status) -- until its handlers hear of it
    turn.till(function()
      return client:told() == story
    end, "the story " .. story)
    turn.never(function()
      return client:told() ~= story or (server and server:arrivals() ~= arrivals)
    end, "something after the end", 5 * watched.delay)
    assert.equal(0, client.ws.queued)
    assert.is_true(client.ws:close())
  end

  it("that never began", function()
    local client = watched.new { url = "ws://127.0.0.1:9/" }
    client.ws:send "dropped"
    is_closed_at_once(client, nil, "closed")
  end)

  it("before its first turn", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url }, "dropped")
    is_closed_at_once(client, server, "connecting closed")
    assert.equal(0, server:arrivals())
  end)

  it("while an address is silent", function()
    local client = watched.connect { url = ("ws://127.0.0.1:%d/"):format(silent.listen()) }
    for _ = 1, 10 do turn.once() end
    is_closed_at_once(client, nil, "connecting closed")
  end)

  it("while it waits for the TLS handshake", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url:gsub("^ws", "wss") }
    local conn = server:accept()
    turn.till(function()
      return conn:has_input()
    end, "the client's hello")
    is_closed_at_once(client, server, "connecting closed")
    conn:closed()
  end)

  it("while it waits for the answer", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url }, "dropped")
    local conn = server:accept()
    conn:request()
    is_closed_at_once(client, server, "connecting closed")
    conn:closed()
    assert.equal("", conn.inbox)
  end)

  it("while half of the answer is there", function()
    local server = Peer.listen()
    local client = watched.connect({ url = server.url }, "dropped")
    local conn = server:accept()
    conn:request()
    conn:send "HTTP/1.1 101 Switching Protocols\r\nUpgr"
    turn.once()
    is_closed_at_once(client, server, "connecting closed")
    conn:closed()
  end)

  it("while it waits for its next attempt", function()
    local server = Peer.listen()
    server:close()
    local client = watched.connect({ url = server.url, reconnect = { min_delay = 9, jitter = 0 } }, "dropped")
    client:await_status "waiting"
    client:await "errors"
    server:open_again()
    is_closed_at_once(client, server, "connecting on_error waiting closed")
    assert.equal(0, server:arrivals())
  end)

  it("in on_error", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      on_error = function(_, ws) ws:close() end,
    }
    local conn = server:accept()
    conn:request()
    conn:reply "HTTP/1.1 403 Forbidden"
    client:await_status "closed"
    turn.never(function()
      return server:arrivals() > 1
    end, "another attempt", 5 * watched.delay)
    assert.equal("connecting on_error waiting closed", client:told())
  end)

  it("and lets it connect again", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    local conn = server:accept()
    conn:request()
    client.ws:close()
    assert.is_true(client.ws:connect "again")
    conn:closed()
    assert.equal("again", server:welcome():receive_text())
    assert.is_false(client:await("opens").reconnected)
    assert.equal("connecting closed connecting on_open open", client:told())
  end)
end)
