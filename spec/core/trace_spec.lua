local core = require("core_binding").trace
local wire = require "support.wire"

-- A frame. options: fin = false; rsv, bits 0 to 7; mask, a key of four bytes.
local function encode(kind, payload, options)
  options = options or {}
  local key = options.mask
  return wire.frame(kind, key and key .. wire.mask(payload, key) or payload, {
    fin = options.fin,
    rsv = (options.rsv or 0) << 4,
    masked = key ~= nil,
    length = #payload,
  })
end

describe("a line of the log", function()
  local HIDDEN = {
    ["ws://user:s3cret@host:80/feed"] = "ws://…@host:80/feed",
    ["ws://user@host/"] = "ws://…@host/",
    ["to https://user:p@ss@word@host/, then ws://a:b@c"] = "to https://…@host/, then ws://…@c",
    ["ws://host/?token=abc"] = "ws://host/?token=…",
    ["ws://host/?a=1?token=abc"] = "ws://host/?a=1?token=…",
    ["ws://host/?%74oken=abc"] = "ws://host/?%74oken=…",
    ["ws://host/?pw=a&code=b&otp=c"] = "ws://host/?pw=…&code=…&otp=…",
    ["< location: /login;jsessionid=0a1b"] = "< location: /login;jsessionid=…",
    ["ws://host/?a=1&TOKEN=abc&b=2"] = "ws://host/?a=1&TOKEN=…&b=2",
    ["GET /?api_key=abc HTTP/1.1"] = "GET /?api_key=… HTTP/1.1",
    ["< location: /in?a=1&X-Amz-Signature=0a#access_token=z"]
      = "< location: /in?a=1&X-Amz-Signature=…#access_token=…",
    ["ws://h/?a=1;sid=b;jwt=c&n=2"] = "ws://h/?a=1;sid=…&n=2",
    ["ws://h/?token=ab;cd'ef\"gh<i>j?k/l"] = "ws://h/?token=…",
    ["ws://user:pa'ss\"w<or>d;@h/"] = "ws://…@h/",
    ["ws://h/?t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIi"] = "ws://h/?t=…",
    ["ws://h/?eyJhbGciOiJIUzI1NiJ9.eyJzdWIi"] = "ws://h/?…",
    ['see "ws://a:b@c/?key=d", and more'] = 'see "ws://…@c/?key=… and more',
    ["?key=a?key=b"] = "?key=…",
  }
  for line, shown in pairs(HIDDEN) do
    it("has no secrets of URLs in it: " .. line, function()
      assert.equal(shown, core.hide(line))
    end)
  end

  it("keeps everything else", function()
    for _, line in ipairs {
      "", "ws://host:80/feed", "ws://[::1]/", "ws://host/?symbol=BTC&n=10", "what? nothing = all",
      "mail me@host", "ws://host/@me", "://", "://@", "?", "?=", "?a=&b", "?token=", "#", "50 % of ü",
      "?" .. ("x"):rep(24), "?n=" .. ("x"):rep(24),
    } do
      assert.equal(line, core.hide(line))
    end
  end)

  it("shows visible characters as they are, and every other byte as its number", function()
    for text, shown in pairs {
      [""] = "", ["plain ~ text"] = "plain ~ text", ["grüße, 你好, 🎉"] = "grüße, 你好, 🎉",
      ["\0\t\r\n\27[2J\127"] = "\\x00\\x09\\x0d\\x0a\\x1b[2J\\x7f",
      ["\xFF\xC3"] = "\\xff\\xc3", ["\xC0\x80"] = "\\xc0\\x80", ["\xED\xA0\x80"] = "\\xed\\xa0\\x80",
      ["\u{85}\u{9B}2J"] = "\\xc2\\x85\\xc2\\x9b2J", -- control characters beyond ASCII
      ["a\u{202E}b\u{2066}c"] = "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c", -- right to left
      ["\u{200B}\u{FEFF}\u{2028}"] = "\\xe2\\x80\\x8b\\xef\\xbb\\xbf\\xe2\\x80\\xa8",
      ["“quoted” – …"] = "“quoted” – …",
    } do
      assert.equal(shown, core.harmless(text))
    end
  end)

  it("has nothing in it that is not visible, whatever it is made of", function()
    for first = 0, 255 do
      for second = 0, 255 do
        local shown = core.harmless(string.char(first, second, 0x80, first))
        assert.is_nil(shown:find "[%c]")
        assert.is_truthy(utf8.len(shown))
      end
    end
  end)

  it("costs nothing where it is not wanted: its arguments are not even evaluated", function()
    for level, count in pairs { [0] = 0, 0, 0, 0, 1, 1 } do
      assert.equal(count, core.evaluations(level))
    end
  end)
end)

describe("the frames of a direction", function()
  local long = ("0123456789"):rep(7)
  local FRAMES = {
    { encode("text", ""), "< text, FIN, 0 bytes" },
    { encode("text", "a"), "< text, FIN, 1 byte: a" },
    { encode("text", "grüße\27[2J"), "< text, FIN, 11 bytes: grüße\\x1b[2J" },
    { encode("binary", "\0\xFF"), "< binary, FIN, 2 bytes: \\x00\\xff" },
    { encode("text", long, { fin = false }), "< text, 70 bytes: " .. long:sub(1, 60) .. "…" },
    { encode("continuation", long:sub(1, 60)), "< continuation, FIN, 60 bytes: " .. long:sub(1, 60) },
    { encode("binary", ("z"):rep(70000), { rsv = 4 }),
      "< binary, FIN RSV1, 70000 bytes: " .. ("z"):rep(60) .. "…" },
    { encode("ping", "are you there?"), "< ping, FIN, 14 bytes: are you there?" },
    { encode("pong", ""), "< pong, FIN, 0 bytes" },
    { encode("close", "\x03\xE9going away"), "< close, FIN, 12 bytes, code 1001: going away" },
    { encode("close", ""), "< close, FIN, 0 bytes" },
    { encode("close", "\x03"), "< close, FIN, 1 byte: \\x03" },
    { encode(11, "", { rsv = 7 }), "< opcode 0xB, FIN RSV1 RSV2 RSV3, 0 bytes" },
    { encode("text", "masked", { mask = "\1\2\3\4" }), "< text, FIN masked, 6 bytes: masked" },
    { encode("text", ("x"):rep(300), { mask = "abcd" }),
      "< text, FIN masked, 300 bytes: " .. ("x"):rep(60) .. "…" },
  }
  local bytes, lines = {}, {}
  for i, row in ipairs(FRAMES) do bytes[i], lines[i] = row[1], row[2] end
  local all = table.concat(bytes)

  for _, step in ipairs { 1, 2, 3, 7, 61, 4096, #all } do
    it("are told one by one, also in pieces of " .. step, function()
      assert.same(lines, core.frames(all, step))
    end)
  end

  it("are told from the next one on where it begins in the middle of a payload", function()
    for left = 1, 70 do
      assert.same({ lines[2] }, core.frames(("0"):rep(left) .. bytes[2], 5, "", left))
    end
  end)

  it("are told with the one in whose header it begins", function()
    local frame = encode("text", ("x"):rep(300))
    for size = 1, 3 do
      assert.same({ "< text, FIN, 300 bytes: " .. ("x"):rep(60) .. "…" },
        core.frames(frame:sub(size + 1), 5, frame:sub(1, size)))
    end
  end)

  it("are told as soon as the part of them that is shown has come", function()
    local frame = encode("text", ("x"):rep(300))
    assert.same({}, core.frames(frame:sub(1, 4 + 59), 7))
    assert.same({ "< text, FIN, 300 bytes: " .. ("x"):rep(60) .. "…" }, core.frames(frame:sub(1, 4 + 60), 7))
  end)
end)
