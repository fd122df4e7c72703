local mime = require "mime"

local Peer = require "support.peer"
local child = require "support.child"
local preload = require "support.preload"
local turn = require "support.turn"
local watched = require "support.watched"

local function authority(server)
  return server.url:match "//(.-)/"
end

-- A client for a server, through the handshake: the client, the connection and the request.
local function meet(server, options, answer)
  options = options or {}
  options.url = options.url or server.url
  local client = watched.connect(options)
  local conn = server:accept()
  local request = conn:upgrade(answer)
  client:await "opens"
  return client, conn, request
end

-- A message each way.
local function talk(client, conn)
  conn:text "from the server"
  assert.same({ data = "from the server", kind = "text" }, client:await("messages"))
  assert.is_true(client.ws:send "from the client")
  assert.equal("from the client", conn:receive_text())
end

local function filler(size)
  local line = "0123456789abcdefghijklmnopqrstuvwxyz\n"
  return line:rep(size // #line + 1):sub(1, size)
end

describe("a client of a plain ws server", function()
  after_each(watched.end_all)

  describe("finds it", function()
    it("by an IPv4 address", function()
      local server = Peer.listen()
      local client, conn = meet(server)
      assert.equal("127.0.0.1", client.opens[1].address)
      talk(client, conn)
    end)

    it("by an IPv6 literal", function()
      local server = Peer.listen { address = "::1" }
      local client, conn, request = meet(server)
      assert.equal("::1", client.opens[1].address)
      assert.equal(("[::1]:%d"):format(server.port), request.headers.host)
      talk(client, conn)
    end)

    it("by a name", function()
      local server = Peer.listen()
      local client, conn, request = meet(server, {
        url = ("ws://localhost:%d/"):format(server.port),
      })
      assert.equal("127.0.0.1", client.opens[1].address)
      assert.equal(("localhost:%d"):format(server.port), request.headers.host)
      talk(client, conn)
      assert.equal("connecting on_open open on_message", client:told())
    end)

    it("by a name in any case", function()
      local server = Peer.listen()
      talk(meet(server, { url = ("ws://LocalHost:%d/"):format(server.port) }))
    end)

    it("at port 80 where the URL names none, and the Host header has none then", function()
      local address = "127.16.6.55" -- not where a web server of this machine would be
      local free, server = pcall(Peer.listen, { address = address, port = 80 })
      if not free then return pending "port 80 is not for us on this machine" end
      local client, conn, request = meet(server, { url = ("ws://%s/"):format(address) })
      assert.equal(address, request.headers.host)
      talk(client, conn)
    end)
  end)

  describe("asks", function()
    it("with these headers and no others", function()
      local server = Peer.listen()
      local _, _, request = meet(server)
      local key = request.headers["sec-websocket-key"]
      assert.equal(16, #mime.unb64(key))
      assert.equal(table.concat({
        "GET / HTTP/1.1",
        "Host: " .. authority(server),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: " .. key,
        "Sec-WebSocket-Version: 13",
        "",
        "",
      }, "\r\n"), request.raw)
    end)

    it("with a fresh key each time", function()
      local server = Peer.listen()
      local _, conn, first = meet(server)
      conn:cut()
      local second = server:accept():upgrade()
      assert.not_equal(first.headers["sec-websocket-key"], second.headers["sec-websocket-key"])
    end)

    it("for the path and the query of its URL", function()
      local server = Peer.listen()
      local path = "/a/b%20c;d=1/?x=1&y=%2F&z"
      local client, conn, request = meet(server, { url = server.url:gsub("/$", "") .. path })
      assert.equal("GET " .. path .. " HTTP/1.1", request.line)
      talk(client, conn)
    end)

    it("for / where the URL has a query only", function()
      local server = Peer.listen()
      local _, _, request = meet(server, { url = server.url:gsub("/$", "") .. "?token=1" })
      assert.equal("/?token=1", request.path)
    end)

    it("for a path of 2,047, 5,000 or 30,000 bytes", function()
      for _, size in ipairs { 2047, 5000, 30000 } do
        local server = Peer.listen()
        local path = "/" .. ("p"):rep(size - 1)
        local client, conn, request = meet(server, { url = server.url:gsub("/$", "") .. path })
        assert.equal(path, request.path)
        assert.equal("Upgrade", request.headers.connection)
        talk(client, conn)
      end
    end)

    it("with the user's headers as written, several of one name included", function()
      local server = Peer.listen()
      local client, conn, request = meet(server, {
        headers = {
          ["X-Api-KEY"] = "k=1; \"v\"",
          ["Cookie"] = "a=b",
          ["X-Many"] = { "one", "two" },
          ["X-Number"] = 17,
          ["X-Empty"] = "",
        },
      })
      assert.truthy(request.raw:find("\r\nX-Api-KEY: k=1; \"v\"\r\n", 1, true))
      assert.equal("a=b", request.headers.cookie)
      assert.same({ "one", "two" }, request.headers["x-many"])
      assert.equal("17", request.headers["x-number"])
      assert.equal("", request.headers["x-empty"])
      talk(client, conn)
    end)

    it("with 30,000 bytes of a user's header", function()
      local server = Peer.listen()
      local token = filler(30000):gsub("\n", " ")
      local client, conn, request = meet(server, {
        headers = { Authorization = "Bearer " .. token },
      })
      assert.equal("Bearer " .. token, request.headers.authorization)
      talk(client, conn)
    end)

    it("with an origin", function()
      local server = Peer.listen()
      local _, _, request = meet(server, { origin = "https://app.example:8443" })
      assert.equal("https://app.example:8443", request.headers.origin)
    end)

    it("with Basic authorization from the URL, which it shows nowhere", function()
      local server = Peer.listen()
      local url = ("ws://anna:s%%3Acr%%C3%%A9t@%s/x"):format(authority(server))
      local client, _, request = meet(server, { url = url })
      assert.equal("Basic " .. mime.b64 "anna:s:crét", request.headers.authorization)
      assert.equal(authority(server), request.headers.host)
      assert.equal(server.url .. "x", client.opens[1].url)
      assert.is_nil(tostring(client.ws):find("anna", 1, true))
    end)

    it("with Basic authorization of a user without a password", function()
      local server = Peer.listen()
      local _, _, request = meet(server, { url = ("ws://anna@%s/"):format(authority(server)) })
      assert.equal("Basic " .. mime.b64 "anna:", request.headers.authorization)
    end)

    it("again with all of it after the connection was lost", function()
      local server = Peer.listen()
      local client, conn, first = meet(server, {
        headers = { ["X-One"] = "1" },
        origin = "https://o.example",
        protocols = { "a", "b" },
        url = ("ws://anna:pw@%s/path?q"):format(authority(server)),
      })
      conn:cut()
      local second = server:accept():upgrade()
      local function without_key(request)
        return (request.raw:gsub("Sec%-WebSocket%-Key: [^\r]*", ""))
      end
      assert.equal(without_key(first), without_key(second))
      client:await("opens", 2)
    end)
  end)

  describe("offers subprotocols", function()
    it("in order, and shows the one that the server chose", function()
      local server = Peer.listen()
      local client, conn, request = meet(
        server,
        { protocols = { "chat.v2", "chat.v1", "mqtt" } },
        { protocol = "chat.v1" }
      )
      assert.equal("chat.v2, chat.v1, mqtt", request.headers["sec-websocket-protocol"])
      assert.equal("chat.v1", client.opens[1].protocol)
      assert.equal("chat.v1", client.ws.protocol)
      talk(client, conn)
    end)

    it("and goes on without one where the server chose none", function()
      local server = Peer.listen()
      local client, conn = meet(server, { protocols = "chat" })
      assert.is_nil(client.opens[1].protocol)
      assert.is_nil(client.ws.protocol)
      talk(client, conn)
    end)

    it("and fails where the server chose none and require_protocol is set", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url, protocols = "chat", require_protocol = true }
      server:accept():upgrade()
      local event = client:await "errors"
      assert.equal("handshake", event.kind)
      assert.matches("the answer has no Sec%-WebSocket%-Protocol header: the server takes none", event.message)
      assert.equal(101, event.http_status)
      server:welcome { protocol = "chat" }
      assert.equal("chat", client:await("opens").protocol)
    end)

    it("and takes another choice with another connection", function()
      local server = Peer.listen()
      local client, conn = meet(server, { protocols = { "a", "b" } }, { protocol = "a" })
      conn:cut()
      server:welcome { protocol = "b" }
      assert.equal("b", client:await("opens", 2).protocol)
      assert.equal("b", client.ws.protocol)
    end)
  end)

  describe("tells on_open", function()
    it("what it has reached", function()
      local server = Peer.listen()
      local client = meet(server)
      local event = client.opens[1]
      assert.is_false(event.reconnected)
      assert.equal(1, event.attempt)
      assert.equal(server.url, event.url)
      assert.equal("127.0.0.1", event.address)
    end)

    it("the headers of the answer, names in lower case", function()
      local server = Peer.listen()
      local client = meet(server, nil, {
        headers = { ["Server"] = "peer/1.0 (spec)", ["X-Request-ID"] = "r-17", ["Date"] = "now" },
      })
      local headers = client.opens[1].headers
      assert.equal("peer/1.0 (spec)", headers.server)
      assert.equal("r-17", headers["x-request-id"])
      assert.equal("now", headers.date)
      assert.equal("websocket", headers.upgrade)
    end)

    it("each Set-Cookie header of the answer by itself, also where there is one", function()
      local dated = "id=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Path=/"
      local server = Peer.listen()
      local client = meet(server, nil, { headers = { ["Set-Cookie"] = { dated, "shop=2" }, ["Via"] = { "a", "b" } } })
      local headers = client.opens[1].headers
      assert.same({ dated, "shop=2" }, headers["set-cookie"])
      assert.equal("a, b", headers.via)
      client = meet(server, nil, { headers = { ["Set-Cookie"] = dated } })
      assert.same({ dated }, client.opens[1].headers["set-cookie"])
    end)

    it("that it is back, after a loss", function()
      local server = Peer.listen()
      local client, conn = meet(server)
      conn:cut()
      server:welcome()
      assert.is_true(client:await("opens", 2).reconnected)
    end)
  end)

  describe("reads the answer", function()
    local ANSWERS = {
      ["with header names and tokens in another case"] = {
        headers = { ["upgrade"] = "WebSocket", ["CONNECTION"] = "upgrade" },
      },
      ["with Connection as a list"] = { headers = { ["Connection"] = "keep-alive, Upgrade" } },
      ["with several Connection headers"] = {
        headers = { ["Connection"] = { "keep-alive", "Upgrade" } },
      },
      ["with another reason"] = { status = "HTTP/1.1 101 Web Socket Protocol Handshake" },
      ["with no reason"] = { status = "HTTP/1.1 101 " },
      -- A 1xx ends at its empty line, whatever these say: RFC 9112 section 6.3.
      ["with a Content-Length of 0"] = { headers = { ["Content-Length"] = "0" } },
      ["with a Content-Length of 5"] = { headers = { ["Content-Length"] = "5" } },
      ["with two different Content-Lengths"] = { headers = { ["Content-Length"] = { "5", "7" } } },
      ["with a chunked body announced"] = { headers = { ["Transfer-Encoding"] = "chunked" } },
      ["with a cookie of 12,000 bytes"] = {
        headers = { ["Set-Cookie"] = "a=" .. ("c"):rep(12000) },
      },
    }
    for name, answer in pairs(ANSWERS) do
      it(name, function()
        local server = Peer.listen()
        talk(meet(server, nil, answer))
      end)
    end

    it("with blanks around the values", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:accept()
      local request = conn:request()
      local accept = Peer.accept_value(request.headers["sec-websocket-key"])
      conn:send(table.concat({
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade:websocket",
        "Connection:  \t Upgrade \t",
        "Sec-WebSocket-Accept:   " .. accept .. " ",
        "",
        "",
      }, "\r\n"))
      client:await "opens"
      talk(client, conn)
    end)

    it("that arrives byte by byte, and messages behind it too", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:accept()
      local send, sent = conn.send, {}
      conn.send = function(_, bytes) sent[#sent + 1] = bytes end
      conn:upgrade { extra = Peer.encode("text", "at once") .. Peer.encode("binary", filler(300)) }
      for byte in table.concat(sent):gmatch "." do
        send(conn, byte)
        turn.once()
      end
      assert.same({ data = "at once", kind = "text" }, client:await("messages"))
      assert.same({ data = filler(300), kind = "binary" }, client:await("messages", 2))
    end)
  end)

  describe("keeps what stands behind the answer in the same segment", function()
    for _, size in ipairs { 0, 1, 125, 126, 4096, 5000, 65536, 100000 } do
      it(("when it is a message of %d bytes"):format(size), function()
        local server = Peer.listen()
        local client, conn = meet(server, nil, { extra = Peer.encode("binary", filler(size)) })
        assert.same({ data = filler(size), kind = "binary" }, client:await "messages")
        conn:text "next"
        assert.same({ data = "next", kind = "text" }, client:await("messages", 2))
        assert.equal("connecting on_open open on_message on_message", client:told())
      end)
    end

    it("when it is a thousand messages", function()
      local frames = {}
      for number = 1, 1000 do frames[number] = Peer.encode("text", tostring(number)) end
      local server = Peer.listen()
      local client = meet(server, nil, { extra = table.concat(frames) })
      client:await("messages", 1000)
      for number, message in ipairs(client.messages) do
        assert.equal(tostring(number), message.data)
      end
    end)

    it("when it is half a frame", function()
      local server = Peer.listen()
      local frame = Peer.encode("text", "two halves")
      local client, conn = meet(server, nil, { extra = frame:sub(1, 1) })
      conn:send(frame:sub(2))
      assert.equal("two halves", client:await("messages").data)
    end)

    it("when it is a close frame and the end of the connection", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:accept()
      local close = Peer.encode("close", (">I2"):pack(1001) .. "bye")
      conn:upgrade { extra = Peer.encode("text", "farewell") .. close }
      conn:finish()
      local event = client:await "closes"
      assert.equal(1001, event.code)
      assert.equal("bye", event.reason)
      assert.equal("farewell", client.messages[1].data)
      assert.same({}, client.errors)
    end)
  end)

  it("hands over 5,000 bytes that come one at a time", function()
    local server = Peer.listen()
    local client, conn = meet(server)
    for byte in Peer.encode("binary", filler(5000)):gmatch "." do
      conn:send(byte)
      turn.once()
    end
    assert.same({ data = filler(5000), kind = "binary" }, client:await("messages"))
  end)

  it("needs one connection, however many clients there are", function()
    local server = Peer.listen()
    local clients, conns = {}, {}
    for number = 1, 50 do
      clients[number] = watched.connect { url = server.url .. number }
    end
    for _ = 1, 50 do
      local conn = server:accept()
      conns[tonumber(conn:upgrade().path:sub(2))] = conn
    end
    for number, client in ipairs(clients) do
      client:await "opens"
      client.ws:send("I am " .. number)
    end
    for number, conn in ipairs(conns) do
      assert.equal("I am " .. number, conn:receive_text())
    end
    assert.equal(50, server:arrivals())
  end)

  describe("of a name with an IPv6 and an IPv4 address", function()
    -- In a process of its own, where such a name is made.
    teardown(preload.remove_all)

    local function run(code)
      local environment = preload.environment "names"
      if not environment then return nil end
      local result = child.run([[
        local Peer = require "support.peer"
        local silent = require "support.silent"
        local watched = require "support.watched"
        local turn = require "support.turn"
        local function url_of(server) return ("ws://two.example:%d/"):format(server.port) end
        -- A server at 127.0.0.1, and what listen(port) makes of its port at ::1 where it is free.
        local function pair(listen)
          local server = Peer.listen()
          local free, other = pcall(listen, server.port)
          if free then return server, other end
          server:close()
          return pair(listen)
        end
      ]] .. code .. [[
        watched.end_all()
        silent.close_all()
      ]], {}, { environment = environment })
      assert.equal("", result.err)
      assert.equal(0, result.code)
      return result.out
    end

    local function says(expected, code)
      local out = run(code)
      if not out then return pending "needs cc and LD_PRELOAD" end
      assert.equal(expected, out)
    end

    it("takes the first that answers, and asks for the name", function()
      says("::1 two.example\n127.0.0.1 two.example\n", [[
        for _, address in ipairs { "::1", "127.0.0.1" } do
          local server = Peer.listen { address = address }
          local client = watched.connect { url = url_of(server) }
          local request = server:accept():upgrade()
          print(client:await("opens").address .. " " .. request.headers.host:match "^[^:]+")
          assert(#client.errors == 0 and client:told() == "connecting on_open open")
        end
      ]])
    end)

    it("does not let a silent one use up connect_timeout", function()
      says("127.0.0.1\n", [[
        local server = pair(function(port) return silent.listen("::1", port) end)
        local client = watched.connect { url = url_of(server), connect_timeout = 1 }
        server:welcome()
        print(client:await("opens").address)
        assert(client:told() == "connecting on_open open")
      ]])
    end)

    it("fails once when neither answers", function()
      says("refused\ttwo.example\nconnecting on_error waiting\n", [[
        local server = Peer.listen()
        server:close()
        local client = watched.connect { url = url_of(server) }
        local event = client:await "errors"
        print(event.kind, event.url:match "//([^:]+)")
        print(client:told())
      ]])
    end)

    it("does not try the second when the first has answered, if not as hoped", function()
      says("http 1 0\n", [[
        local second, first = pair(function(port)
          return Peer.listen { address = "::1", port = port }
        end)
        local client = watched.connect { url = url_of(first) }
        local conn = first:accept()
        conn:request()
        conn:reply("HTTP/1.1 404 Not Found", { ["Content-Length"] = "0" })
        print(client:await("errors").kind .. " " .. first:arrivals() .. " " .. second:arrivals())
      ]])
    end)
  end)
end)
