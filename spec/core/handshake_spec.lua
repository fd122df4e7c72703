local handshake = require("core_binding").handshake

-- The example of RFC 6455 section 1.3.
local KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

local function lines_of(url, request)
  request.key = KEY
  local text = handshake.request(url, request)
  local lines = {}
  for line in text:gmatch "(.-)\r\n" do lines[#lines + 1] = line end
  assert.equal(table.concat(lines, "\r\n") .. "\r\n", text, "a line that does not end with CR LF")
  return lines
end

describe("the request", function()
  it("is a GET with the upgrade headers", function()
    local text = handshake.request("ws://Example.com:8080/chat?room=7", { key = KEY })
    assert.equal(table.concat({
      "GET /chat?room=7 HTTP/1.1",
      "Host: example.com:8080",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: " .. KEY,
      "Sec-WebSocket-Version: 13",
      "",
      "",
    }, "\r\n"), text)
  end)

  it("has everything that was asked for, in order", function()
    local lines = lines_of("wss://[::1]/", {
      protocols = { "chat.v2", "chat" },
      origin = "https://example.com",
      authorization = "Basic YTpi",
      headers = { { "X-One", "1" }, { "x-TWO", "" }, { "X-One", "uno\tdue" } },
    })
    assert.same({
      "GET / HTTP/1.1",
      "Host: [::1]",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: " .. KEY,
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: chat.v2, chat",
      "Origin: https://example.com",
      "Authorization: Basic YTpi",
      "X-One: 1",
      "x-TWO: ",
      "X-One: uno\tdue",
      "",
    }, lines)
  end)

  it("offers compression where that is on", function()
    local lines = lines_of("ws://h/", { protocols = { "chat" }, compression = {}, origin = "x" })
    assert.equal("Sec-WebSocket-Protocol: chat", lines[7])
    assert.equal("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", lines[8])
    assert.equal("Origin: x", lines[9])
  end)

  it("takes the user's Authorization and Origin instead of ours, in any case", function()
    local lines = lines_of("ws://h/", {
      origin = "https://ours",
      authorization = "Basic ours",
      headers = { { "AUTHORIZATION", "Bearer theirs" }, { "origin", "https://theirs" } },
    })
    local rest = table.move(lines, 7, #lines, 1, {})
    assert.same({ "AUTHORIZATION: Bearer theirs", "origin: https://theirs", "" }, rest)
  end)

  it("may be long, and have percent signs", function()
    local path = "/" .. ("%25s"):rep(5000)
    local lines = lines_of("ws://h" .. path, { headers = { { "X", ("%n%s"):rep(20000) } } })
    assert.equal("GET " .. path .. " HTTP/1.1", lines[1])
    assert.equal("X: " .. ("%n%s"):rep(20000), lines[7])
  end)
end)

-- A good answer to a request that offered chat and superchat, with these changes; false: left out.
local function check(changes)
  local answer = { upgrade = "websocket", connection = "Upgrade", accept = ACCEPT }
  for name, value in pairs(changes) do answer[name] = value or nil end
  return handshake.check({ protocols = { "chat", "superchat" } }, ACCEPT, answer)
end

local function accepts(changes)
  local good, message = check(changes)
  assert.is_true(good, message)
end

local function refuses(changes, why)
  local good, message = check(changes)
  assert.is_false(good)
  assert.equal(why, message)
end

describe("a 101 answer", function()
  it("is good with the three headers that must be there", function()
    accepts {}
  end)

  it("may have blanks around its values", function()
    accepts {
      upgrade = " \twebsocket\t",
      connection = " Upgrade ",
      accept = " " .. ACCEPT .. " ",
      protocol = "\tchat ",
    }
  end)

  describe("has an Upgrade header that", function()
    it("is compared without case", function()
      accepts { upgrade = "WebSocket" }
      accepts { upgrade = "WEBSOCKET" }
    end)

    it("must be there", function()
      refuses({ upgrade = false }, "the answer has no Upgrade header")
    end)

    it("must be websocket and nothing else", function()
      local why = 'the answer\'s Upgrade header is not "websocket": "%s"'
      for _, value in ipairs { "", "h2c", "websocke", "websockets", "websocket, h2c", "web ket" } do
        refuses({ upgrade = value }, why:format(value))
      end
    end)
  end)

  describe("has a Connection header that", function()
    it("is a list, compared without case", function()
      local good = { "upgrade", "keep-alive, Upgrade", "UPGRADE,a", ",, upgrade\t,", "a,b,uPgrade" }
      for _, value in ipairs(good) do
        accepts { connection = value }
      end
    end)

    it("must be there", function()
      refuses({ connection = false }, "the answer has no Connection header")
    end)

    it("must list Upgrade", function()
      local why = 'the answer\'s Connection header does not list "Upgrade": "%s"'
      for _, value in ipairs { "", ",", "a", "upgrades", "no-upgrade", "up,grade", "a upgrade" } do
        refuses({ connection = value }, why:format(value))
      end
    end)
  end)

  describe("has a Sec-WebSocket-Accept header that", function()
    it("must be there", function()
      refuses({ accept = false }, "the answer has no Sec-WebSocket-Accept header")
    end)

    it("must be the digest of our key, to the letter and once", function()
      local why = 'the answer\'s Sec-WebSocket-Accept header does not belong to our key: "%s"'
      local twice = ACCEPT .. ", " .. ACCEPT
      for _, value in ipairs { "", KEY, ACCEPT:lower(), ACCEPT:sub(1, -2), ACCEPT .. "=", twice } do
        refuses({ accept = value }, why:format(value))
      end
    end)
  end)

  describe("has a subprotocol that", function()
    it("may be any of those offered, or none", function()
      accepts { protocol = "chat" }
      accepts { protocol = "superchat" }
      accepts { protocol = false }
    end)

    it("must have been offered, to the letter, and be one only", function()
      local why = "the answer's Sec-WebSocket-Protocol header is not a subprotocol that we offered"
      for _, value in ipairs { "", "Chat", "cha", "chats", "soap", "chat, superchat", "a,chat" } do
        refuses({ protocol = value }, ('%s: "%s"'):format(why, value))
      end
    end)

    it("must be there when one is required", function()
      local request = { protocols = { "chat" }, require_protocol = true }
      local answer = { upgrade = "websocket", connection = "Upgrade", accept = ACCEPT }
      local good, message = handshake.check(request, ACCEPT, answer)
      assert.is_false(good)
      assert.equal("the answer has no Sec-WebSocket-Protocol header: the server takes none of those "
        .. "that we offered, and require_protocol is set", message)
      answer.protocol = "chat"
      assert.is_true(handshake.check(request, ACCEPT, answer))
    end)

    it("is refused when none was offered", function()
      local good, message = handshake.check({}, ACCEPT, {
        upgrade = "websocket",
        connection = "Upgrade",
        accept = ACCEPT,
        protocol = "chat",
      })
      assert.is_false(good)
      assert.matches("is not a subprotocol that we offered", message)
    end)
  end)

  it("cannot have an extension when none was offered", function()
    accepts { extensions = " " }
    for _, value in ipairs { "permessage-deflate", "x; y=1", "a, b" } do
      local why = "the answer's Sec-WebSocket-Extensions header has an extension, we offered none"
      refuses({ extensions = value }, ('%s: "%s"'):format(why, value))
    end
  end)

  it("may accept the compression that was offered, and says what was agreed on", function()
    local request = { compression = { client_max_window_bits = 12 } }
    local answer = { upgrade = "websocket", connection = "Upgrade", accept = ACCEPT }
    assert.same({ true }, { handshake.check(request, ACCEPT, answer) })
    answer.extensions = "permessage-deflate; server_max_window_bits=10"
    local good, agreed = handshake.check(request, ACCEPT, answer)
    assert.is_true(good)
    assert.same({ 12, 10 }, { agreed.client.window_bits, agreed.server.window_bits })
  end)

  it("cannot accept compression in another way than it was offered", function()
    local answer = {
      upgrade = "websocket", connection = "Upgrade", accept = ACCEPT,
      extensions = "permessage-deflate; server_max_window_bits=20",
    }
    local good, message = handshake.check({ compression = {} }, ACCEPT, answer)
    assert.is_false(good)
    assert.equal("the answer's Sec-WebSocket-Extensions header has window bits that are not a "
      .. 'number from 8 to 15: "permessage-deflate; server_max_window_bits=20"', message)
  end)

  describe("is quoted in messages", function()
    local function quoted(value)
      local _, message = check { upgrade = value }
      return message:match '^the answer\'s Upgrade header is not "websocket": (.*)$'
    end

    it("with a ? for all that is not printable ASCII", function()
      assert.equal('"a??b??c?"', quoted "a\27\nb\u{E9}c\127")
      assert.equal('"%s%n"', quoted "%s%n")
    end)

    it("and cut when long", function()
      assert.equal('"' .. ("x"):rep(64) .. '"', quoted(("x"):rep(64)))
      assert.equal('"' .. ("x"):rep(64) .. '..."', quoted(("x"):rep(65)))
      assert.equal('"' .. ("x"):rep(64) .. '..."', quoted(("x"):rep(100000)))
    end)

    it("in a message that fits into 256 bytes, or is cut to the room there is", function()
      for _, name in ipairs { "upgrade", "connection", "accept", "protocol", "extensions" } do
        local _, message = check { [name] = ("x"):rep(1000) }
        assert.matches('%.%.%."$', message)
      end
      local _, message = handshake.check({}, ACCEPT, { upgrade = "x" }, 10)
      assert.equal("the answe", message)
    end)
  end)
end)

describe("a header's name", function()
  it("may be any token, and is taken as written", function()
    local good = {
      "X", "x-api-key", "Authorization", "Origin", "!#$%&'*+-.^_`|~09azAZ", "Hosts",
      "Sec-Fetch-Mode", "Upgrade-Insecure-Requests",
    }
    for _, name in ipairs(good) do
      assert.is_nil(handshake.bad_name(name))
    end
  end)

  it("cannot be one that the handshake owns, in any case", function()
    local owned = {
      "Host", "host", "HOST", "Upgrade", "uPGRADE", "Connection", "Content-Length",
      "transfer-encoding", "Sec-WebSocket-Key", "sec-websocket-accept", "SEC-WEBSOCKET-EXTENSIONS",
      "Sec-WebSocket-", "Sec-WebSocket-X",
    }
    for _, name in ipairs(owned) do
      assert.equal("belongs to the handshake and cannot be set", handshake.bad_name(name))
    end
  end)

  it("cannot be other than a token", function()
    local bad = {
      "", " ", "X Y", "X:", "X\r\nY", "X\0", "\0", "X\t", "(x)", 'x"', "x/y", "\u{E9}", "a,b",
    }
    for _, name in ipairs(bad) do
      assert.equal("is not a header name (RFC 9110 section 5.1)", handshake.bad_name(name))
    end
  end)
end)

describe("a header's value", function()
  it("may have anything but control characters, tabs excepted", function()
    for byte = 0, 255 do
      local control = byte < 0x20 and byte ~= 9 or byte == 0x7F
      local expected = control and "has a control character (CR, LF and NUL are some)" or nil
      assert.equal(expected, handshake.bad_value("a" .. string.char(byte) .. "b"))
      assert.equal(expected, handshake.bad_value(string.char(byte)))
    end
  end)

  it("may be empty", function()
    assert.is_nil(handshake.bad_value "")
  end)
end)

describe("a subprotocol", function()
  it("is a token", function()
    for _, protocol in ipairs { "chat", "v12.stomp", "graphql-transport-ws", "a" } do
      assert.is_nil(handshake.bad_protocol(protocol))
    end
    for _, protocol in ipairs { "", "a b", "a,b", "a\r\nX: y", "a\0", "a/b", "\u{E9}", '"a"' } do
      assert.equal("is not a token (RFC 9110 section 5.6.2)", handshake.bad_protocol(protocol))
    end
  end)
end)
