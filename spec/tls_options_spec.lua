local OpensslServer = require "support.openssl_server"
local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local certs = require "support.certs"
local child = require "support.child"
local cost = require "support.cost"
local files = require "support.files"
local turn = require "support.turn"
local watched = require "support.watched"

local CA, GOOD = { ca_file = certs.ca }, certs.good

local function set_out(server, tls, host)
  local url = ("wss://%s:%d/"):format(host or "localhost", server.port)
  return watched.connect { url = url, name = "prices", tls = tls }
end

local function opens(server, tls, host)
  local client = set_out(server, tls, host)
  local conn = server:welcome()
  client:await "opens"
  assert.same({}, client.errors)
  return client, conn
end

-- The client's error; no byte of a request has come.
local function error_of(server, tls, host)
  local client = set_out(server, tls, host)
  local event = client:await "errors"
  assert.equal("tls", event.kind)
  client.ws:close()
  for _, conn in ipairs(server.all) do assert.equal("", conn.inbox) end
  return event.message:match "^prices: wss://[^/]+/: (.*)$"
end

local function refused(tls, text)
  assert.error_matches(function() WebSocket.new { url = "wss://h/", tls = tls } end, text, 1, true)
end

local function output_of(command)
  local pipe <close> = assert(io.popen(command))
  return (pipe:read "a":gsub("\n", ""))
end

-- As the page of curl's --pinnedpubkey has it.
local function pin_of(pair)
  return "sha256//" .. output_of(("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der "
    .. "| openssl dgst -sha256 -binary | openssl enc -base64"):format(pair.cert))
end

local OTHER_PIN = "sha256//" .. ("A"):rep(43) .. "="

describe("TLS options:", function()
  local folder

  before_each(function() folder = files.new_folder "tls" end)

  after_each(function()
    Server.stop_all()
    OpensslServer.stop_all()
    watched.end_all()
    os.execute("rm -rf " .. folder)
  end)

  describe("a text in place of a file", function()
    local function demanding()
      return Peer.listen { tls = { cert = GOOD.cert, key = GOOD.key, client_ca = certs.ca } }
    end

    it("says which authorities to trust", function()
      local ca = files.read(certs.unknown.ca) .. "and more:\n" .. files.read(certs.ca)
      opens(Peer.listen { tls = GOOD }, { ca = ca })
      opens(Peer.listen { tls = certs.unknown }, { ca = ca })
      local text = error_of(Peer.listen { tls = certs.self_signed }, { ca = ca })
      assert.truthy(text:find("self-signed", 1, true), text)
    end)

    it("is the client's certificate and key", function()
      local cert, key = files.read(certs.client.cert), files.read(certs.client.key)
      local locked = files.read(certs.client_locked.key)
      local password = certs.client_locked.password
      for _, tls in ipairs {
        { cert = cert, key = key },
        { cert_file = certs.client.cert, key = key },
        { cert = cert, key_file = certs.client.key },
        { cert = cert .. files.read(certs.ca), key = locked, key_password = password },
      } do
        tls.ca_file = certs.ca
        local _, conn = opens(demanding(), tls)
        assert.equal("spec client", conn.socket:getpeercertificate():subject()[1].value)
      end
    end)

    local CERT, KEY = files.read(certs.client.cert), files.read(certs.client.key)
    local NO_CERTIFICATE = "cannot be used: there is no certificate in PEM format in it"
    for what, case in pairs {
      ["authorities"] = { { ca = "/etc/ca.pem" }, "tls.ca " .. NO_CERTIFICATE },
      ["authorities but a key"] = { { ca = KEY }, "tls.ca " .. NO_CERTIFICATE },
      ["authorities but a broken one"] = { { ca = (CERT:gsub("\nMII", "\nAAA")) }, "tls.ca cannot be used: " },
      ["a certificate"] = { { cert = "me", key = KEY }, "tls.cert " .. NO_CERTIFICATE },
      ["a certificate with a chain but a broken one"] = {
        { cert = CERT .. CERT:gsub("\nMII", "\nAAA"), key = KEY }, "tls.cert cannot be used: ",
      },
      ["a key"] = { { cert = CERT, key = "me" }, "tls.key cannot be used: there is no key in PEM format in it" },
      ["the certificate's key"] = {
        { cert = CERT, key = files.read(GOOD.key) }, "tls.key cannot be used: key values mismatch",
      },
      ["to be opened with that password"] = {
        { cert = CERT, key = files.read(certs.client_locked.key), key_password = "hunter2" },
        "tls.key cannot be used with this tls.key_password: ",
      },
    } do
      it("that is not " .. what .. " fails the attempt and is not shown", function()
        local server = Peer.listen { tls = GOOD }
        local text = error_of(server, case[1])
        assert.equal(case[2], text:sub(1, #case[2]))
        assert.is_true(#text > #case[2] or not text:find ": $", "it does not say why")
        assert.is_nil(text:find("hunter2", 1, true))
        assert.is_nil(text:find("MII", 1, true))
        assert.equal(0, server:arrivals())
      end)
    end

    it("cannot be given beside the file", function()
      refused({ ca = "a", ca_file = "b" }, "of tls.ca_file and tls.ca only one can be given")
      refused({ cert = "a", cert_file = "b", key = "c" }, "of tls.cert_file and tls.cert only one can be given")
      refused({ cert = "a", key_file = "b", key = "c" }, "of tls.key_file and tls.key only one can be given")
      refused({ cert = "a" }, "tls.cert_file and tls.key_file go together, as do tls.cert and tls.key")
      refused({ key = "a" }, "tls.cert_file and tls.key_file go together, as do tls.cert and tls.key")
    end)
  end)

  describe("a pin", function()
    it("that is the server's lets it through", function()
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, pin = pin_of(GOOD) })
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, pin = { OTHER_PIN, pin_of(GOOD) } })
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, pin = OTHER_PIN .. ";" .. pin_of(GOOD) })
    end)

    it("that is another one ends the attempt before a request, and says what was found", function()
      local message = ('certificate has another public key than tls.pin allows: "%s"'):format(pin_of(GOOD))
      for _, pin in ipairs { OTHER_PIN, pin_of(certs.unknown), { OTHER_PIN, pin_of(certs.client) } } do
        assert.equal(message, error_of(Peer.listen { tls = GOOD }, { ca_file = certs.ca, pin = pin }))
      end
    end)

    it("counts without tls.verify, too", function()
      opens(Peer.listen { tls = certs.self_signed }, { verify = false, pin = pin_of(certs.self_signed) })
      local text = error_of(Peer.listen { tls = certs.self_signed }, { verify = false, pin = OTHER_PIN })
      assert.truthy(text:find("another public key", 1, true))
    end)

    it("does not take the place of an authority", function()
      local text = error_of(Peer.listen { tls = certs.unknown }, { ca_file = certs.ca, pin = pin_of(certs.unknown) })
      assert.truthy(text:find("unknown authority", 1, true))
    end)

    it("counts on each connection, also on one that could be resumed", function()
      local server = Peer.listen { tls = GOOD }
      local first, conn = opens(server, CA)
      conn:text "so that the tickets have been read"
      first:await "messages"
      assert.truthy(error_of(server, { ca_file = certs.ca, pin = OTHER_PIN }):find("another public key", 1, true))
    end)

    it("is written as curl writes it", function()
      for _, pin in ipairs {
        "", "sha256//", "sha256/" .. ("A"):rep(43) .. "=", "sha1//" .. ("A"):rep(43) .. "=",
        "sha256//" .. ("A"):rep(44), "sha256//" .. ("A"):rep(42) .. "=", "sha256//" .. ("A"):rep(42) .. "-=",
        OTHER_PIN .. ";", ";" .. OTHER_PIN, OTHER_PIN .. OTHER_PIN, OTHER_PIN .. "; " .. OTHER_PIN, "key.pem",
      } do
        for _, value in ipairs { pin, { pin }, { OTHER_PIN, pin } } do
          refused({ pin = value }, "option 'tls.pin' is no pin: one is written as \"sha256//\"")
        end
      end
      refused({ pin = {} }, "option 'tls.pin' is an empty list")
      refused({ pin = { 1 } }, "option 'tls.pin' is a number, string expected")
      refused({ pin = { OTHER_PIN, x = OTHER_PIN } }, "option 'tls.pin' is not a plain list")
      refused({ pin = true }, "option 'tls.pin' is a boolean, string expected")
      refused({ pin = OTHER_PIN .. "\0" }, "option 'tls.pin' has a NUL byte inside")
    end)
  end)

  describe("min_version", function()
    it("refuses a server that speaks an older one only", function()
      local old = OpensslServer.start(GOOD, "-tls1_2")
      local client = set_out(old, { ca_file = certs.ca, min_version = "1.3" })
      local event = client:await "errors"
      assert.equal("tls", event.kind)
      assert.truthy(event.message:find("the TLS handshake failed: the server says ", 1, true), event.message)
      assert.truthy(event.message:find("protocol version", 1, true), event.message)
    end)

    it("lets a newer one through", function()
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, min_version = "1.3" })
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, min_version = "1.2" })
    end)

    it("is a version that is known", function()
      refused({ min_version = "1.1" }, [[option 'tls.min_version' is "1.1", "1.2" or "1.3" expected]])
      refused({ min_version = 1.3 }, "option 'tls.min_version' is a number, string expected")
    end)
  end)

  describe("keylog", function()
    local function lines(path)
      local count, kinds = 0, {}
      for line in io.lines(path) do
        count = count + 1
        kinds[assert(line:match "^([%u%d_]+) %x+ %x+$", line)] = true
      end
      return count, kinds
    end

    it("is a file that its owner alone can read, which each connection adds to", function()
      local path = folder .. "/keys"
      local server = Peer.listen { tls = GOOD }
      local client, conn = opens(server, { ca_file = certs.ca, keylog = path })
      local count, kinds = lines(path)
      assert.is_true(kinds.CLIENT_TRAFFIC_SECRET_0 and kinds.SERVER_TRAFFIC_SECRET_0)
      assert.equal("600", output_of("stat -c %a " .. path))
      conn:cut()
      server:welcome()
      client:await("opens", 2)
      assert.is_true((lines(path)) > count)
    end)

    it("is added to, not written anew", function()
      local path = folder .. "/keys"
      files.write(path, "BEFORE 00 00\n")
      opens(Peer.listen { tls = GOOD }, { ca_file = certs.ca, keylog = path })
      local _, kinds = lines(path)
      assert.is_true(kinds.BEFORE and kinds.CLIENT_TRAFFIC_SECRET_0)
    end)

    it("that cannot be written fails the attempt", function()
      local server = Peer.listen { tls = GOOD }
      os.execute("mkfifo " .. folder .. "/pipe")
      for path, reason in pairs {
        ["/no/such/keys"] = "No such file or directory",
        [folder] = "Is a directory",
        [folder .. "/pipe"] = "No such device or address",
        ["/dev/null"] = "it is no file",
      } do
        assert.equal(('tls.keylog "%s" cannot be written: %s'):format(path, reason),
          error_of(server, { ca_file = certs.ca, keylog = path }))
      end
      refused({ keylog = "" }, "option 'tls.keylog' is empty")
    end)

    it("is never taken from the environment", function()
      local path = folder .. "/keys"
      local server = Server.start { tls = GOOD }
      local result = child.run([[
        local WebSocket = require "steadysocket"
        local ws = WebSocket.new { url = arg[1], tls = { ca_file = arg[2] } }
        ws.on_open = function() print "open" ws:close() end
        ws:connect()
        WebSocket.run()
      ]], { server:url("/echo", "localhost"), certs.ca }, { environment = "SSLKEYLOGFILE=" .. path })
      assert.equal("open\n", result.out, result.err)
      assert.is_nil(io.open(path))
    end)
  end)

  describe("a file that is renewed while its client lives", function()
    local function copy(from, name)
      files.write(folder .. "/new", files.read(from))
      os.rename(folder .. "/new", folder .. "/" .. name)
    end

    local function identity(conn)
      return conn.socket:getpeercertificate():subject()[1].value
    end

    it("as the certificate and key of the client is shown on the next connection", function()
      local server = Peer.listen { tls = { cert = GOOD.cert, key = GOOD.key, client_ca = certs.ca } }
      copy(certs.client.cert, "cert")
      copy(certs.client.key, "key")
      local tls = { ca_file = certs.ca, cert_file = folder .. "/cert", key_file = folder .. "/key" }
      local client, conn = opens(server, tls)
      assert.equal("spec client", identity(conn))

      local function again(number)
        conn:cut()
        conn = server:welcome()
        client:await("opens", number)
        return identity(conn)
      end
      copy(certs.wrong_host.cert, "cert") -- its key is not there yet
      assert.equal("spec client", again(2))
      copy(certs.wrong_host.key, "key")
      assert.equal("other.example", again(3))
      os.remove(folder .. "/key")
      assert.equal("other.example", again(4))
      local key = files.read(certs.client.key)
      files.write(folder .. "/key", key:sub(1, #key // 2)) -- as far as it has been written
      copy(certs.client.cert, "cert")
      assert.equal("other.example", again(5))
      files.write(folder .. "/key", key)
      assert.equal("spec client", again(6))
      assert.same({}, client.errors)
    end)

    it("as the authorities is trusted from the next connection on", function()
      copy(certs.unknown.ca, "ca")
      local server = Peer.listen { tls = GOOD }
      local client = set_out(server, { ca_file = folder .. "/ca" })
      assert.truthy(client:await("errors").message:find("unknown authority", 1, true))
      copy(certs.ca, "ca")
      local conn
      repeat conn = server:accept() until conn
      conn:upgrade()
      client:await "opens"
      copy(certs.unknown.ca, "ca")
      conn:cut()
      local before = #client.errors
      assert.truthy(client:await("errors", before + 1).message:find("unknown authority", 1, true))
      assert.equal(1, #client.opens)
    end)
  end)

  describe("a session is resumed", function()
    local REUSED = "Reused session%-id"

    -- Answers the newest request that s_server has got, and sends a message.
    local function greet(server, before)
      local key
      turn.till(function()
        key = server:output():match "Sec%-WebSocket%-Key: (%S+)[^K]*$"
        return key and key ~= before
      end, "a request")
      server:send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        .. "Sec-WebSocket-Accept: " .. Peer.accept_value(key) .. "\r\n\r\n" .. Peer.encode("text", "hello"))
      return key
    end

    local function reused(server)
      local _, count = server:output():gsub(REUSED, "")
      return count
    end

    local VERSIONS = { ["1.2"] = "-tls1_2", ["1.2 and no tickets"] = "-tls1_2 -no_ticket", ["1.3"] = "-tls1_3" }
    for version, flags in pairs(VERSIONS) do
      it("on each connection after the first, with TLS " .. version, function()
        local server = OpensslServer.start(GOOD, flags)
        local client = set_out(server, CA)
        local key
        for number = 1, 4 do
          key = greet(server, key)
          client:await("messages", number)
          assert.equal(number - 1, reused(server))
          server:send "q\n"
          client:await("closes", number)
        end
        assert.same({}, client.errors)
      end)
    end

    for what, others in pairs {
      ["verify = false"] = { verify = false },
      ["a pin"] = { ca_file = certs.ca, pin = pin_of(GOOD) },
      ["another authority beside it"] = { ca = files.read(certs.ca) .. files.read(certs.unknown.ca) },
      ["another least version"] = { ca_file = certs.ca, min_version = "1.3" },
    } do
      it("but not by a client with " .. what, function()
        local server = OpensslServer.start(GOOD, "-tls1_3")
        local first = set_out(server, others)
        local key = greet(server)
        first:await "messages"
        server:send "q\n"
        first:await "closes"
        first.ws:close()
        local second = set_out(server, CA)
        greet(server, key)
        second:await "messages"
        assert.equal(0, reused(server))
      end)
    end

    it("but not under another name", function()
      local server = OpensslServer.start(GOOD, "-tls1_3")
      local first = set_out(server, CA, "localhost")
      local key = greet(server)
      first:await "messages"
      first.ws:close()
      server:send "q\n"
      first:await "closes"
      local second = set_out(server, CA, "127.0.0.1")
      greet(server, key)
      second:await "messages"
      assert.equal(0, reused(server))
    end)

    it("unless the server has forgotten it, and then there is a new one", function()
      local server = Peer.listen { tls = GOOD }
      local client, conn = opens(server, CA)
      conn:text "so that the tickets have been read"
      client:await "messages"
      server:close()
      conn:cut()
      local other = Peer.listen { tls = GOOD, port = server.port } -- with other keys for its tickets
      other:welcome():text "hello again"
      assert.equal("hello again", client:await("messages", 2).data)
    end)

    it("once at the most by a server that fails on it", function()
      -- OpenSSL does, where a client's certificate is asked for and nothing names the application.
      local server = Peer.listen {
        tls = { cert = GOOD.cert, key = GOOD.key, client_ca = certs.ca, optional = true },
      }
      local client = set_out(server, CA)
      local failures = 0
      for number = 1, 5 do
        local conn
        repeat
          conn = server:accept()
          failures = failures + (conn and 0 or 1)
        until conn
        conn:upgrade { extra = Peer.encode("text", "hello") }
        client:await("messages", number)
        conn:cut()
        client:await("closes", number)
      end
      assert.equal(1, failures)
      assert.equal(1, #client.errors)
    end)
  end)

  it("the authorities are not read anew for each attempt", function()
    local server = Peer.listen { tls = GOOD } -- of an authority that the system does not know
    local client = set_out(server)
    client:await "errors"
    local spent = cost.of(function() client:await("errors", 21, 20) end)
    assert.is_true(spent.cpu < 0.2, ("20 attempts took %.3f s of CPU"):format(spent.cpu))
  end)

  -- OpenSSL's own objects take more in its newer versions. A buffer that is kept is one of 16 KiB.
  it("an idle connection takes little more for TLS than OpenSSL's objects", function()
    if child.keeps_what_is_freed() then return pending "this process keeps what is freed" end
    -- In a process of its own, whose memory has no holes that others have left.
    local function memory_of(tls)
      local server = Server.start { tls = tls }
      local result = child.run([[
        local url, ca_file = ...
        local WebSocket = require "steadysocket"
        local cost = require "support.cost"
        local clients, opens = {}, 0
        local function open(count)
          for _ = 1, count do
            local ws = WebSocket.new { url = url, tls = { ca_file = ca_file }, heartbeat = false }
            function ws.on_open() opens = opens + 1 end
            ws:connect()
            clients[#clients + 1] = ws
            while opens < #clients do WebSocket.step(1) end
          end
          for _ = 1, 20 do WebSocket.step(0.002) end -- for the tickets
          collectgarbage()
        end
        open(1)
        print(cost.of(open, 300).kib / 300)
        for _, ws in ipairs(clients) do ws:close() end
        while WebSocket.step(1) do end
      ]], { server:url("/echo", "localhost"), certs.ca })
      return assert(tonumber(result.out), result.err)
    end
    local secure, plain = memory_of(GOOD), memory_of()
    local pipe = io.popen "openssl version"
    local major, minor = pipe:read("a"):match "OpenSSL (%d+)%.(%d+)"
    pipe:close()
    local is_new = tonumber(major) * 100 + tonumber(minor) >= 305
    assert.is_true(secure - plain < (is_new and 36 or 18), ("%.1f KiB, and %.1f without TLS"):format(secure, plain))
  end)

  describe("the name that a server is told", function()
    -- The ClientHello, from a server that says nothing.
    local function hello(host, tls)
      local server = Peer.listen { address = host == "[::1]" and "::1" or nil }
      set_out(server, tls, host)
      local conn = server:accept()
      turn.till(function() return conn:has_input() and conn.inbox:byte(1) == 22 end, "a ClientHello")
      return conn.inbox
    end

    -- RFC 6066 section 3: a list of one name of type 0.
    local function sni(name)
      return (">I2 I2 I2 B s2"):pack(0, #name + 5, #name + 3, 0, name)
    end

    it("is the URL's host, or server_name", function()
      assert.truthy(hello("localhost"):find(sni "localhost", 1, true))
      assert.truthy(hello("127.0.0.1", { server_name = "a.example" }):find(sni "a.example", 1, true))
    end)

    it("is never an address", function()
      for _, host in ipairs { "127.0.0.1", "[::1]" } do
        for _, tls in ipairs { CA, { server_name = "127.0.0.1" }, { server_name = "::1" } } do
          local bytes = hello(host, tls)
          assert.is_nil(bytes:find("127.0.0.1", 1, true))
          assert.is_nil(bytes:find("::1", 1, true))
        end
      end
    end)
  end)

  it("server_name is a host name of at most 253 bytes with no dot in front", function()
    local label = ("a"):rep(49) .. "."
    WebSocket.new { url = "wss://h/", tls = { server_name = label:rep(5) .. "abc" } }
    refused({ server_name = label:rep(5) .. "abcd" }, "has more than 253 bytes")
    for _, name in ipairs { ".test", "a..b", ".", "", "a.", "*.example", "a b", "a/b", ("a"):rep(64) } do
      refused({ server_name = name }, "option 'tls.server_name' is no host name")
    end
    refused({ server_name = ("a"):rep(5000) }, "has more than 253 bytes")
  end)

  it("the common name of a certificate counts for nothing", function()
    local message = error_of(Peer.listen { tls = certs.common_name },
      { ca_file = certs.ca, server_name = "old.example" })
    assert.truthy(message:find("^certificate is for .*, not for \"old.example\"$"), message)
  end)
end)
