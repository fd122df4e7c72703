local chance = require "support.chance"
local core = require("core_binding").socks

local OPEN = { name = "feed.test", port = 8443 }
local LOGIN = { user = "anna", password = "secret", name = "feed.test", port = 8443 }

local GREETING, GREETING_LOGIN = "\5\1\0", "\5\2\0\2"
local PASSWORD = "\1\4anna\6secret"
local CONNECT = "\5\1\0\3\9feed.test\x20\xFB"
local IPV4_REPLY = "\5\0\0\1\127\0\0\1\x1F\x90"

local function talk(target, ...)
  return core.talk(target, { ... })
end

local function bytes_of(text)
  local pieces = {}
  for byte in text:gmatch "." do pieces[#pieces + 1] = byte end
  return pieces
end

-- Whatever the pieces are, the outcome is this.
local function ends(target, answer, part, text)
  for _, pieces in ipairs { { answer }, bytes_of(answer) } do
    local result = core.talk(target, pieces)
    assert.equal(part, result.part)
    if text then assert.equal(text, result.text) end
  end
  return talk(target, answer)
end

describe("A SOCKS conversation", function()
  it("without a user offers no log-in, and asks for a name", function()
    local result = talk(OPEN, "\5\0", IPV4_REPLY)
    assert.equal(GREETING, result.greeting)
    assert.same({ CONNECT, "" }, result.sent)
    assert.equal("complete", result.part)
  end)

  it("with a user offers both, and logs in where the proxy wants it", function()
    local result = talk(LOGIN, "\5\2", "\1\0", IPV4_REPLY)
    assert.equal(GREETING_LOGIN, result.greeting)
    assert.same({ PASSWORD, CONNECT, "" }, result.sent)
    assert.equal("complete", result.part)
  end)

  it("with a user does not log in where the proxy does not want it", function()
    local result = talk(LOGIN, "\5\0", IPV4_REPLY)
    assert.same({ CONNECT, "" }, result.sent)
    assert.equal("complete", result.part)
  end)

  it("may carry a user and a password of 255 bytes each, and a name of 255", function()
    local user, password, name = ("u"):rep(255), ("p"):rep(255), ("n"):rep(255)
    local result = talk({ user = user, password = password, name = name, port = 1 }, "\5\2", "\1\0")
    assert.equal("\1\xFF" .. user .. "\xFF" .. password, result.sent[1])
    assert.equal("\5\1\0\3\xFF" .. name .. "\0\1", result.sent[2])
  end)

  it("may ask for an address", function()
    local v4 = talk({ address = "\127\0\0\1", port = 80 }, "\5\0")
    assert.equal("\5\1\0\1\127\0\0\1\0\80", v4.sent[1])
    local v6 = talk({ address = ("\0"):rep(15) .. "\1", port = 65535 }, "\5\0")
    assert.equal("\5\1\0\4" .. ("\0"):rep(15) .. "\1\xFF\xFF", v6.sent[1])
  end)

  it("ends exactly behind the reply, whatever address that has", function()
    for _, address in ipairs { "\1\0\0\0\0", "\4" .. ("\0"):rep(16), "\3\0", "\3\1h", "\3\xFF" .. ("h"):rep(255) } do
      local answer = "\5\0" .. "\5\0\0" .. address .. "\0\0"
      local result = ends(OPEN, answer .. "of the server", "complete")
      assert.equal(#answer, result.used)
      assert.equal("reply", talk(OPEN, answer:sub(1, -2)).part)
    end
  end)

  it("is the same in any pieces", chance(function()
    for _ = 1, 300 do
      local answer = ("\5\2\1\0\5\0\0\3\5a.net\0\80" .. "rest"):gsub(".", function(byte)
        return math.random(20) == 1 and string.char(math.random(0, 255)) or byte
      end)
      local whole, cut = talk(LOGIN, answer), core.talk(LOGIN, bytes_of(answer))
      whole.sent, cut.sent = table.concat(whole.sent), table.concat(cut.sent)
      assert.same(whole, cut)
    end
  end))

  local CODES = {
    [1] = 'it says "general failure"',
    [2] = "its rules do not allow that",
    [3] = "it cannot reach the network of that host",
    [4] = "it cannot reach that host",
    [5] = "nothing listens on that port",
    [6] = "the way from it to that host is too long (the TTL expired), or takes too long",
    [7] = "it does not know the command CONNECT",
    [8] = "it does not know this type of address",
    [9] = "it gives the code 9, which SOCKS 5 does not know",
    [255] = "it gives the code 255, which SOCKS 5 does not know",
  }

  it("is refused by each code with a text of its own, as soon as the code is there", function()
    for code, text in pairs(CODES) do
      local reply = "\5\0\5" .. string.char(code)
      assert.equal(code, ends(OPEN, reply, "refused", text).code)
      ends(OPEN, reply .. "\0\1\0\0\0\0\0\0", "refused", text)
    end
  end)

  it("may do better with another address of the server's after some of them", function()
    for code = 1, 9 do
      local another = code ~= 2 and code ~= 7 and code ~= 9
      assert.equal(another, talk(OPEN, "\5\0\5" .. string.char(code)).another)
    end
    assert.is_false(talk(OPEN, "\5\xFF").another)
    assert.is_false(talk(LOGIN, "\5\2\1\1").another)
    assert.is_false(talk(OPEN, "\5\0" .. IPV4_REPLY).another)
  end)

  it("is refused where no log-in fits", function()
    local needed = "it wants to be logged in to, and the proxy's URL may name user:password"
    ends(OPEN, "\5\xFF", "refused", needed)
    ends(OPEN, "\5\2", "refused", needed)
    ends(LOGIN, "\5\xFF", "refused", "it takes neither a user and password nor none at all")
    ends(LOGIN, "\5\1", "refused", "it chose the log-in method 1, which was not offered")
  end)

  it("is refused where the log-in is", function()
    for status = 1, 255 do
      ends(LOGIN, "\5\2\1" .. string.char(status), "refused", "it does not accept this user and password")
    end
  end)

  it("takes a log-in's answer with the version of SOCKS, which some proxies send", function()
    ends(LOGIN, "\5\2\5\0" .. IPV4_REPLY, "complete")
  end)

  it("needs version 5, in the first answer and in the reply", function()
    ends(OPEN, "HTTP/1.1 400 Bad Request\r\n\r\n", "bad",
      "it answers in HTTP: an HTTP proxy's URL begins with http://")
    ends(OPEN, "\x15\3\1\0\2\2\x46", "bad", "it answers in TLS, which no SOCKS proxy speaks")
    ends(OPEN, "\0\x5B", "bad", "it answers as SOCKS 4 does, and SOCKS 5 is needed")
    ends(OPEN, "\4", "bad", "it answers as SOCKS 4 does, and SOCKS 5 is needed")
    ends(OPEN, "\6\0", "bad", "it answers with version 6, and SOCKS 5 is needed")
    ends(OPEN, "\5\0\1\0", "bad", "it answers with version 1, and SOCKS 5 is needed")
  end)

  it("knows three types of address", function()
    for _, kind in ipairs { 0, 2, 5, 255 } do
      ends(OPEN, "\5\0\5\0\0" .. string.char(kind), "bad",
        ("its reply has the address type %d, which SOCKS 5 does not know"):format(kind))
    end
  end)

  it("says where it was cut", function()
    local function cut(target, answer, text)
      assert.equal("it ended the connection " .. text, talk(target, answer).text)
    end
    cut(OPEN, "", "instead of an answer to the greeting")
    cut(LOGIN, "\5\2", "instead of an answer to the user and password")
    cut(OPEN, "\5\0", "instead of a reply to CONNECT")
    cut(OPEN, "\5", "in the middle of an answer")
    cut(LOGIN, "\5\2\1", "in the middle of an answer")
    for size = 1, #IPV4_REPLY - 1 do
      cut(OPEN, "\5\0" .. IPV4_REPLY:sub(1, size), "in the middle of an answer")
    end
  end)
end)
