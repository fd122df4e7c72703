local built = require "support.built"
local child = require "support.child"
local OpensslServer = require "support.openssl_server"
local Peer = require "support.peer"
local Server = require "support.server"
local certs = require "support.certs"
local chance = require "support.chance"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"

local function serve(pair, address)
  return Peer.listen { tls = pair, address = address }
end

local function url_of(server, host)
  return ("wss://%s:%d/"):format(host, server.port)
end

local function connect(server, tls, host, options)
  options = options or {}
  options.url = host and url_of(server, host) or server.url
  options.name = "prices"
  options.tls = tls
  return watched.connect(options)
end

-- A message each way.
local function talk(client, conn)
  conn:text "from the server"
  client:await("messages", #client.messages + 1)
  assert.equal("from the server", client.messages[#client.messages].data)
  client.ws:send "from the client"
  assert.equal("from the client", conn:receive_text())
end

local function works(server, tls, host)
  local client = connect(server, tls, host)
  local conn = server:welcome()
  client:await "opens"
  talk(client, conn)
  assert.same({}, client.errors)
  return client, conn
end

-- The client hangs up, and not a byte of a request has come.
local function got_no_request(server)
  local conn = server:accept()
  if not conn then return end -- the client has ended the TLS handshake with an alert
  conn:closed()
  assert.equal("", conn.inbox)
end

-- The certificate is refused, with this message; the queue is kept.
local function is_refused(server, tls, host, message)
  local client = connect(server, tls, host)
  client.ws:send "kept"
  local event = client:await "errors"
  assert.equal(("prices: %s: %s"):format(event.url, message), event.message)
  assert.equal("tls", event.kind)
  assert.is_nil(event.http_status)
  assert.is_true(event.will_reconnect)
  assert.equal("connecting on_error waiting", client:told(1))
  assert.equal(1, client.ws.queued)
  client.ws:close()
  got_no_request(server)
  assert.equal(1, server:arrivals())
end

local SELF_SIGNED = "certificate is self-signed; to trust it, give it as tls.ca_file"
local UNKNOWN = "certificate is from an unknown authority; to trust it, give it as tls.ca_file"
local TRUSTING = { ca_file = certs.ca }

describe("over TLS, a client", function()
  after_each(function()
    Server.stop_all()
    watched.end_all()
    OpensslServer.stop_all()
  end)

  describe("trusts a certificate of the authority in tls.ca_file", function()
    it("for a name", function()
      local client = works(serve(certs.good), TRUSTING, "localhost")
      assert.equal("127.0.0.1", client.opens[1].address)
    end)

    it("for a name in any case", function()
      works(serve(certs.good), TRUSTING, "LOCALHOST")
    end)

    it("for an IPv4 address", function()
      works(serve(certs.good), TRUSTING, "127.0.0.1")
    end)

    it("for an IPv6 address, in any spelling", function()
      works(serve(certs.good, "::1"), TRUSTING, "[::1]")
      works(serve(certs.good, "::1"), TRUSTING, "[0:0::0001]")
    end)

    it("or a self-signed one that is in there itself", function()
      works(serve(certs.self_signed), { ca_file = certs.self_signed.ca }, "localhost")
    end)

    it("and again on the next connection", function()
      local server = serve(certs.good)
      local client, conn = works(server, TRUSTING, "localhost")
      for number = 2, 5 do
        conn:cut()
        conn = server:welcome()
        client:await("opens", number)
        talk(client, conn)
      end
      assert.same({}, client.errors)
    end)
  end)

  describe("refuses a certificate, before it sends anything, that", function()
    it("is self-signed", function()
      is_refused(serve(certs.self_signed), TRUSTING, "localhost", SELF_SIGNED)
    end)

    it("is of an unknown authority", function()
      is_refused(serve(certs.unknown), TRUSTING, "localhost", UNKNOWN)
    end)

    it("has expired", function()
      local server = serve(certs.expired)
      local client = connect(server, TRUSTING, "localhost")
      local event = client:await "errors"
      assert.equal("tls", event.kind)
      assert.match("^prices: wss://localhost:%d+/: certificate has expired, on 2020%-01%-02 00:00:00 UTC$",
        event.message)
      client.ws:close()
      got_no_request(server)
    end)

    it("is for another host, by name", function()
      is_refused(
        serve(certs.wrong_host),
        TRUSTING,
        "localhost",
        'certificate is for "other.example", not for "localhost"'
      )
    end)

    it("is for another host, by IPv4 address", function()
      is_refused(
        serve(certs.wrong_host),
        TRUSTING,
        "127.0.0.1",
        'certificate is for "other.example", not for "127.0.0.1"'
      )
    end)

    it("is for another host, by IPv6 address", function()
      is_refused(
        serve(certs.wrong_host, "::1"),
        TRUSTING,
        "[::1]",
        'certificate is for "other.example", not for "::1"'
      )
    end)

    it("is for other names, which it lists", function()
      is_refused(
        serve(certs.good),
        { ca_file = certs.ca, server_name = "prices.example" },
        "localhost",
        'certificate is for "localhost", "127.0.0.1", "::1", not for "prices.example"'
      )
    end)

    it("is of a local authority, which the system does not know", function()
      is_refused(serve(certs.good), nil, "localhost", UNKNOWN)
    end)

    it("is refused each time", function()
      local server = serve(certs.unknown)
      local client = connect(server, TRUSTING, "localhost")
      for number = 1, 5 do
        got_no_request(server)
        assert.equal("tls", client:await("errors", number).kind)
      end
      assert.same({}, client.opens)
    end)
  end)

  it("accepts any certificate with tls.verify = false", function()
    for _, name in ipairs { "self_signed", "unknown", "expired", "wrong_host", "good" } do
      works(serve(certs[name]), { verify = false }, "localhost")
      works(serve(certs[name]), { verify = false }, "127.0.0.1")
    end
    works(serve(certs.wrong_host, "::1"), { verify = false }, "[::1]")
  end)

  it("gives its own answer to each of several tls options at the same time", function()
    local server = serve(certs.unknown)
    local cases = {
      { tls = TRUSTING, good = false },
      { tls = { verify = false }, good = true },
      { tls = nil, good = false },
      { tls = { ca_file = certs.unknown.ca }, good = true },
      { tls = { ca_file = certs.ca, verify = false }, good = true },
      { tls = { ca_file = certs.unknown.ca, server_name = "else.example" }, good = false },
    }
    for _, case in ipairs(cases) do case.client = connect(server, case.tls, "localhost") end
    local taken = 0
    turn.till(function()
      local settled = 0
      while taken < server:arrivals() do -- the good ones are upgraded, whichever they are
        local conn = server:accept()
        taken = taken + 1
        if conn then pcall(conn.upgrade, conn) end
      end
      for _, case in ipairs(cases) do
        if #case.client.errors >= 3 or #case.client.opens > 0 then settled = settled + 1 end
      end
      return settled == #cases
    end, "all six to be settled", 10)
    for number, case in ipairs(cases) do
      assert.equal(case.good and 1 or 0, #case.client.opens, "opens of client " .. number)
      assert.equal(case.good, #case.client.errors == 0, "errors of client " .. number)
    end
  end)

  describe("names the server in SNI", function()
    it("by the URL's host", function()
      local _, conn = works(serve(certs.good), TRUSTING, "localhost")
      assert.equal("localhost", conn.socket:getsniname())
    end)

    it("by tls.server_name, which the certificate is checked for, and not Host", function()
      local server = serve(certs.wrong_host)
      local client = connect(server, { ca_file = certs.ca, server_name = "other.example" })
      local conn = server:accept()
      local request = conn:upgrade()
      client:await "opens"
      assert.equal("other.example", conn.socket:getsniname())
      assert.equal(("127.0.0.1:%d"):format(server.port), request.headers.host)
      talk(client, conn)
    end)

    it("by tls.server_name without a check, with tls.verify = false", function()
      local server = serve(certs.good)
      local _, conn = works(server, { verify = false, server_name = "not.example" }, "localhost")
      assert.equal("not.example", conn.socket:getsniname())
    end)
  end)

  describe("explains", function()
    local function explains(client, kind, pattern)
      local event = client:await "errors"
      assert.equal(kind, event.kind)
      local message = event.message:match "^prices: wss?://[^/]*/: (.*)$"
      assert.truthy(message and message:find(pattern), event.message)
      return event
    end

    -- A server that answers the client's hello with these bytes, and the client.
    local function answer_hello(bytes)
      local server = Peer.listen()
      local client = connect(server, TRUSTING, "127.0.0.1")
      local conn = server:accept()
      turn.till(function()
        return conn:has_input()
      end, "the client's hello")
      conn:send(bytes)
      return client, conn, server
    end

    it("that a server of a wss URL does not speak TLS", function()
      for _, bytes in ipairs {
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        ("\0"):rep(100),
      } do
        local client, conn, server = answer_hello(bytes)
        explains(client, "tls", "^the TLS handshake failed: what the server sent is not TLS ")
        conn:closed()
        assert.equal(1, server:arrivals())
      end
    end)

    it("with what words the server ends the TLS handshake", function()
      local client = answer_hello "\21\3\3\0\2\2\40" -- an alert: handshake_failure
      explains(client, "tls", '^the TLS handshake failed: the server says ".*handshake failure"$')
    end)

    it("that a server of a wss URL ends the connection in the TLS handshake", function()
      for _, ending in ipairs { "finish", "reset" } do
        local server = Peer.listen()
        local client = connect(server, TRUSTING, "127.0.0.1")
        local conn = server:accept()
        turn.till(function()
          return conn:has_input()
        end, "the client's hello")
        conn[ending](conn)
        explains(client, "tls", "^the TLS handshake failed: the server ended the connection$")
        assert.equal(1, server:arrivals())
      end
    end)

    it("that a server of a wss URL ends the connection at once", function()
      for _, ending in ipairs { "finish", "reset" } do
        local server = Peer.listen()
        local client = connect(server, TRUSTING, "127.0.0.1")
        server:accept()[ending](server.all[1])
        explains(client, "tls", "^the TLS handshake failed: the server ended the connection$")
        assert.equal(1, server:arrivals())
      end
    end)

    it("that a server of a ws URL wants TLS, or so it looks", function()
      local server = serve(certs.good)
      local client = watched.connect {
        url = server.url:gsub("^wss", "ws"),
        name = "prices",
      }
      assert.is_nil(server:accept()) -- it took the request for a hello
      explains(client, "handshake", "^the server closed the connection instead of answering")
    end)

    it("that the server wants a certificate of the client", function()
      local server = Peer.listen {
        tls = { cert = certs.good.cert, key = certs.good.key, client_ca = certs.ca },
      }
      local client = connect(server, TRUSTING, "localhost")
      assert.is_nil(server:accept())
      local event = client:await "errors"
      -- The reset that LuaSec sends behind its alert may overtake it.
      assert.is_true(event.kind == "tls" or event.kind == "handshake", event.message)
      assert.equal(0, #client.opens)
    end)

    it("that the server is silent in the TLS handshake: timeout", function()
      local server = Peer.listen()
      local client = connect(server, TRUSTING, "localhost", { connect_timeout = 0.5 })
      local start = socket.gettime()
      local event = explains(client, "timeout", "^no TLS handshake within 0.5 s$")
      assert.is_true(socket.gettime() - start > 0.49)
      assert.is_true(event.will_reconnect)
      server:accept():closed()
      client:await("errors", 2)
      assert.equal("connecting on_error waiting connecting on_error waiting", client:told(2))
    end)

    it("that the server is silent in the middle of the TLS handshake: timeout", function()
      local server = Peer.listen()
      local client = connect(server, TRUSTING, "localhost", { connect_timeout = 0.5 })
      local conn = server:accept()
      turn.till(function()
        return conn:has_input()
      end, "the client's hello")
      conn:send "\22\3\3\0\122\2\0\0\118" -- the beginning of a ServerHello
      explains(client, "timeout", "^no TLS handshake within 0.5 s$")
    end)

    it("that the server is silent after the TLS handshake: timeout", function()
      local server = serve(certs.good)
      local client = connect(server, TRUSTING, "localhost", { connect_timeout = 0.3 })
      local conn = server:accept()
      conn:request()
      explains(client, "timeout", "^no complete HTTP answer to the upgrade within 0.3 s$")
      conn:closed()
    end)

    it("a tls.ca_file that is not there", function()
      local client = watched.connect {
        url = "wss://127.0.0.1:9/",
        name = "prices",
        tls = { ca_file = "/no/such/file.pem" },
      }
      local event = explains(client, "tls", "^tls.ca_file \"/no/such/file.pem\" cannot be used: ")
      assert.truthy(event.message:find("No such file or directory", 1, true))
      assert.is_true(event.will_reconnect)
    end)

    it("a tls.ca_file that is not PEM, or is empty", function()
      for _, text in ipairs { "this is not a certificate\n", "" } do
        local name = os.tmpname()
        local file <close> = assert(io.open(name, "w"))
        file:write(text)
        file:flush()
        local client = watched.connect {
          url = "wss://127.0.0.1:9/",
          name = "prices",
          tls = { ca_file = name },
        }
        explains(client, "tls", '^tls.ca_file "' .. name .. '" cannot be used: .')
        os.remove(name)
      end
    end)

    it("each failure by itself, not by one before it", function()
      explains(connect(serve(certs.unknown), TRUSTING, "localhost"), "tls", "unknown authority")
      local plain = Peer.listen()
      local client = connect(plain, TRUSTING, "127.0.0.1")
      plain:accept():finish()
      explains(client, "tls", "the server ended the connection$")
    end)

    it("a failure that goes away, and then sends what is queued", function()
      local name = os.tmpname()
      os.remove(name)
      local server = serve(certs.good)
      local client = connect(server, { ca_file = name }, "localhost")
      client.ws:send "queued"
      client:await("errors", 2)
      local from <close> = assert(io.open(certs.ca))
      local to <close> = assert(io.open(name, "w"))
      to:write(from:read "a")
      to:flush()
      assert.equal("queued", server:welcome():receive_text())
      os.remove(name)
    end)
  end)

  it("sees the answers of a server that is not a WebSocket server", function()
    local server = serve(certs.good)
    local client = connect(server, TRUSTING, "localhost")
    local conn = server:accept()
    conn:request()
    conn:reply("HTTP/1.1 403 Forbidden", { ["Content-Length"] = "3" }, "no!")
    local event = client:await "errors"
    assert.equal("http", event.kind)
    assert.equal(403, event.http_status)
    assert.equal("the server answered 403 Forbidden", event.message:match "/: (.*)$")
  end)

  describe("keeps what stands behind the answer", function()
    for _, size in ipairs { 1, 125, 5000, 16384, 100000 } do
      it(("when it is a message of %d bytes"):format(size), function()
        local server = serve(certs.good)
        local client = connect(server, TRUSTING, "localhost")
        local data = ("%08x"):rep(size // 8 + 1):sub(1, size)
        local conn = server:welcome { extra = Peer.encode("binary", data) }
        assert.same({ data = data, kind = "binary" }, client:await "messages")
        talk(client, conn)
      end)
    end

    it("when it is a thousand messages", function()
      local server = serve(certs.good)
      local client = connect(server, TRUSTING, "localhost")
      local frames = {}
      for number = 1, 1000 do frames[number] = Peer.encode("text", tostring(number)) end
      server:welcome { extra = table.concat(frames) }
      client:await("messages", 1000)
      for number, message in ipairs(client.messages) do
        assert.equal(tostring(number), message.data)
      end
    end)
  end)

  it("takes messages that come in many records", function()
    local server = serve(certs.good)
    local client, conn = works(server, TRUSTING, "localhost")
    for byte in Peer.encode("text", ("bytewise "):rep(50)):gmatch "." do
      conn:send(byte)
      turn.once()
    end
    assert.equal(("bytewise "):rep(50), client:await("messages", 2).data)
  end)

  it("carries large messages both ways, in order", chance(function()
    local server = Server.start { tls = certs.good }
    local client = watched.connect {
      url = server:url("/echo", "localhost"),
      tls = TRUSTING,
    }
    local sent = {}
    for number, size in ipairs { 1, 16383, 16384, 16385, 300000, 125, 3 << 20, 0, 1 << 20 } do
      local word = ("<I8"):pack(math.random(0))
      sent[number] = word:rep(size // 8 + 1):sub(1, size)
      assert(client.ws:send(sent[number], "binary"))
    end
    client:await("messages", #sent, 30)
    for number, data in ipairs(sent) do
      assert.is_true(data == client.messages[number].data, "message " .. number .. " has changed")
    end
    assert.same({}, client.errors)
  end))

  it("carries 3 MB to a server that reads late", function()
    local server = serve(certs.good)
    local client, conn = works(server, TRUSTING, "localhost")
    local data = ("0123456789abcdef"):rep(3 << 16)
    client.ws:send(data, "binary")
    for _ = 1, 20 do turn.once() end
    assert.is_true(data == conn:receive_binary(20))
  end)

  it("refuses a renegotiation, and comes back from a server that takes that ill", function()
    local server = OpensslServer.start(certs.good, "-tls1_2")
    local client = connect(server, TRUSTING, "localhost")
    local function greet()
      local key = server:await "Sec%-WebSocket%-Key: (%S+)[^K]*$" -- the last one
      server:send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        .. "Sec-WebSocket-Accept: " .. Peer.accept_value(key) .. "\r\n\r\n"
        .. Peer.encode("text", "hello"))
      return key
    end
    local first = greet()
    client:await "messages"
    assert.is_nil(server:output():find("no renegotiation", 1, true))
    server:send "r\n"
    server:await "no renegotiation" -- the alert that answers, which ends the connection there
    assert.equal("network", client:await("closes").by)
    turn.till(function() return server:output():match "Sec%-WebSocket%-Key: (%S+)[^K]*$" ~= first end,
      "another request")
    greet()
    assert.equal("hello", client:await("messages", 2).data)
    assert.equal(1, #client.errors)
    assert.equal("tls", client.errors[1].kind)
    assert.truthy(client.errors[1].message:find("the TLS session failed: the server says ", 1, true))
    client.ws:close()
    server:send(Peer.encode("close", ""))
    client:await_status "closed"
  end)

  describe("ends a connection", function()
    it("by close(), with the closing handshake", function()
      local server = serve(certs.good)
      local client, conn = works(server, TRUSTING, "localhost")
      client.ws:send "last"
      client.ws:close(1001, "going")
      assert.equal("last", conn:receive_text())
      assert.same({ 1001, "going" }, { conn:receive_close() })
      conn:close(1001)
      conn:finish()
      client:await_status "closed"
      local event = client:await "closes"
      assert.same({ 1001, true, "us", false }, {
        event.code, event.clean, event.by, event.will_reconnect,
      })
    end)

    it("that the peer closes", function()
      local server = serve(certs.good)
      local client, conn = works(server, TRUSTING, "localhost")
      conn:close(1012, "restart")
      assert.same({ 1012, "" }, { conn:receive_close() })
      conn:finish()
      local event = client:await "closes"
      assert.same({ 1012, "restart", true, "peer", true }, {
        event.code, event.reason, event.clean, event.by, event.will_reconnect,
      })
      talk(client, server:welcome())
    end)

    for name, ending in pairs { ["with a close_notify"] = "finish", ["without one"] = "cut" } do
      it("that the network ends, " .. name, function()
        local server = serve(certs.good)
        local client, conn = works(server, TRUSTING, "localhost")
        conn[ending](conn)
        local event = client:await "closes"
        assert.same({ 1006, "", false, "network", true }, {
          event.code, event.reason, event.clean, event.by, event.will_reconnect,
        })
        assert.same({}, client.errors)
        talk(client, server:welcome())
      end)

      it("that the network ends right behind a message, " .. name, function()
        local server = serve(certs.good)
        local client, conn = works(server, TRUSTING, "localhost")
        conn:text "last"
        conn[ending](conn)
        assert.same({ 1006, false }, { client:await("closes").code, client.closes[1].clean })
        assert.equal("last", client.messages[#client.messages].data)
        assert.same({}, client.errors)
      end)
    end
  end)
end)

-- In a process of its own: a burst that is in the socket before anything is read, and each message of
-- which is answered. Prints how many messages came.
local BURST = [[
  local server_program, count = ...
  local WebSocket = require "steadysocket"
  local socket = require "socket"
  local certificate = os.tmpname()
  local server =
    require "support.bench_server".start { program = server_program, tls = certificate }

  local received, open = 0, false
  local ws = WebSocket.new {
    url = ("wss://localhost:%s/flood?size=1700&count=%s"):format(server.tls_port, count),
    tls = { ca_file = certificate },
    heartbeat = false,
    reconnect = false,
    on_open = function() open = true end,
    on_message = function(_, _, ws)
      received = received + 1
      ws:send "and another"
    end,
  }
  ws:connect()
  while not open do WebSocket.step(1) end
  ws:send "go"
  WebSocket.step(0)
  socket.sleep(0.3) -- the loop does not turn meanwhile
  local deadline = socket.gettime() + 3
  while received < tonumber(count) and socket.gettime() < deadline do WebSocket.step(0.1) end
  print(received)
  server:stop()
  os.remove(certificate)
  os.exit(0, false)
]]

describe("a burst over TLS", function()
  for count = 150, 158, 2 do -- about 256 KiB, which is what is read at once
    it(("of %d messages arrives whole, also when each is answered"):format(count), function()
      local result = child.run(BURST, { built "bench/server", tostring(count) })
      assert.equal(tostring(count) .. "\n", result.out, result.err)
    end)
  end
end)
