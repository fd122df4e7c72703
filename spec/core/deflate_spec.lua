local chance = require "support.chance"
local inflate = require "support.inflate"
local protocol = require "support.protocol"
local wire = require "support.wire"
local binding = require "core_binding"
local new_queue = binding.queue.new
local frame, more, finish = wire.frame, wire.more, wire.finish
local receive, receive_in_pieces = protocol.receive, protocol.receive_in_pieces

local RSV1 = 0x40
local TAIL = "\0\0\xFF\xFF"

local function bytes(hex)
  return (hex:gsub("%x%x ?", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- RFC 7692 section 7.2.3.
local HELLO = bytes "f2 48 cd c9 c9 07 00"
local HELLO_AGAIN = bytes "f2 00 11 00 00"
local HELLO_STORED = bytes "00 05 00 fa ff 48 65 6c 6c 6f 00"
local HELLO_FINAL = bytes "f3 48 cd c9 c9 07 00 00"
local HELLO_IN_TWO = bytes "f2 48 05 00 00 00 ff ff ca c9 c9 07 00"
local NOTHING = "\0"

-- The same conversation from the server's side.
local function exchanged(parameters)
  local other = { client = parameters.server, server = parameters.client }
  for _, name in ipairs { "threshold", "level" } do other[name] = parameters[name] end
  return other
end

local function new_server(parameters)
  return binding.deflate.new(exchanged(parameters or {}))
end

local function new_client(parameters, max_message_size)
  local connection = binding.protocol.new(max_message_size)
  connection:deflate(parameters or {})
  return connection
end

-- Frames of a compressed message.
local function compressed(kind, payload)
  return frame(kind, payload, { rsv = RSV1 })
end

local function begin(kind, payload)
  return frame(kind, payload, { rsv = RSV1, fin = false })
end

-- All that is to be sent now: a list of { kind, payload, key, compressed }.
local function sent_by(connection, queue, ...)
  local parts = {}
  repeat
    parts[#parts + 1] = connection:output(queue, ...)
  until parts[#parts] == ""
  return (wire.read(table.concat(parts), true))
end

-- Text that can be compressed, and looks back far.
local words = {}
for i = 1, 300 do words[i] = ("%x%s"):format(i * 7919 % 100003, ("aeiou"):sub(1, i % 5)) end

local function random_text(size)
  local out, length = {}, 0
  while length < size do
    out[#out + 1] = words[math.random(#words)]
    length = length + #out[#out]
  end
  return table.concat(out):sub(1, size)
end

-- A stored block of the text, of at most 65535 bytes.
local function stored(text, final)
  return string.pack("<BI2I2", final and 1 or 0, #text, ~#text & 0xFFFF) .. text
end

local valid = {
  ["one DEFLATE block (section 7.2.3.1)"] = {
    compressed("text", HELLO), { { "message", "Hello", "text" } } },
  ["one block in fragments (section 7.2.3.1)"] = {
    begin("text", HELLO:sub(1, 3)) .. finish(HELLO:sub(4)), { { "message", "Hello", "text" } } },
  ["a shared window (section 7.2.3.2)"] = {
    compressed("text", HELLO) .. compressed("text", HELLO_AGAIN),
    { { "message", "Hello", "text" }, { "message", "Hello", "text" } } },
  ["a block without compression (section 7.2.3.3)"] = {
    compressed("binary", HELLO_STORED), { { "message", "Hello", "binary" } } },
  ["a block with BFINAL (section 7.2.3.4)"] = {
    compressed("text", HELLO_FINAL), { { "message", "Hello", "text" } } },
  ["two blocks in one message (section 7.2.3.5)"] = {
    compressed("text", HELLO_IN_TWO), { { "message", "Hello", "text" } } },
  ["an empty message (section 7.2.3.6)"] = {
    compressed("text", NOTHING), { { "message", "", "text" } } },
  ["an empty message without any payload, as some servers send it"] = {
    compressed("text", "") .. compressed("text", HELLO) .. begin("binary", "") .. finish("") ..
      compressed("text", HELLO_AGAIN),
    { { "message", "", "text" }, { "message", "Hello", "text" }, { "message", "", "binary" },
      { "message", "Hello", "text" } },
  },
  ["empty fragments"] = {
    begin("text", "") .. more("") .. more(HELLO) .. finish(""),
    { { "message", "Hello", "text" } },
  },
  ["plain messages between compressed ones, outside of the window"] = {
    compressed("text", HELLO) .. frame("text", "plain") .. compressed("text", HELLO_AGAIN) ..
      frame("binary", "in ", { fin = false }) .. finish("two") .. compressed("text", HELLO_AGAIN),
    { { "message", "Hello", "text" }, { "message", "plain", "text" },
      { "message", "Hello", "text" }, { "message", "in two", "binary" },
      { "message", "Hello", "text" } },
  },
  ["control frames between fragments"] = {
    begin("text", HELLO:sub(1, 2)) .. frame("ping", "Hello") .. more(HELLO:sub(3, 5)) ..
      frame("pong", "") .. finish(HELLO:sub(6)) .. compressed("text", HELLO_AGAIN),
    { { "ping", "Hello" }, { "pong", "" }, { "message", "Hello", "text" },
      { "message", "Hello", "text" } },
  },
  ["a close frame inside a message"] = {
    begin("text", HELLO:sub(1, 3)) .. frame("close", ""), { { "close", 1005, "" } } },
  ["a window that goes on behind a block with BFINAL"] = {
    compressed("text", HELLO_FINAL) .. compressed("text", HELLO_AGAIN) ..
      compressed("text", HELLO_FINAL:sub(1, -2) .. HELLO_AGAIN),
    { { "message", "Hello", "text" }, { "message", "Hello", "text" },
      { "message", "HelloHello", "text" } },
  },
  ["blocks with BFINAL at the end of messages, without the octet of section 7.2.3.4"] = {
    compressed("text", HELLO_FINAL:sub(1, -2)) .. compressed("text", HELLO_AGAIN) ..
      compressed("text", stored("abc", true)) .. compressed("text", "") ..
      compressed("text", HELLO),
    { { "message", "Hello", "text" }, { "message", "Hello", "text" }, { "message", "abc", "text" },
      { "message", "", "text" }, { "message", "Hello", "text" } },
  },
  ["blocks with BFINAL behind each other"] = {
    compressed("text", stored("a", true) .. stored("", true) .. stored("b", true) .. "\0"),
    { { "message", "ab", "text" } },
  },
  ["text whose characters are cut by blocks and fragments"] = {
    begin("text", stored "gr\xC3") .. finish(stored "\xBC\xC3" .. stored "\x9F" .. "\0"),
    { { "message", "grüß", "text" } },
  },
  ["anything in a binary message"] = {
    compressed("binary", stored "\xFF\xC0" .. "\0"), { { "message", "\xFF\xC0", "binary" } } },
}

local broken = {
  ["RSV1 on a continuation"] = {
    begin("text", HELLO:sub(1, 3)) .. frame("continuation", HELLO:sub(4), { rsv = RSV1 }),
    1002, "7692 section 6" },
  ["RSV1 on the continuation of a plain message"] = {
    frame("text", "a", { fin = false }) .. frame("continuation", HELLO, { rsv = RSV1 }),
    1002, "7692 section 6" },
  ["RSV1 on a ping"] = { frame("ping", "", { rsv = RSV1 }), 1002, "7692 section 6" },
  ["RSV1 on a close frame"] = { frame("close", "", { rsv = RSV1 }), 1002, "7692 section 6" },
  ["RSV2"] = { frame("text", "x", { rsv = 0x20 }), 1002, "6455 section 5.2" },
  ["RSV3 beside RSV1"] = { frame("text", HELLO, { rsv = 0x50 }), 1002, "6455 section 5.2" },
  ["a reserved opcode with RSV1"] = { frame(3, HELLO, { rsv = RSV1 }), 1002, "section 6" },
  ["a compressed message inside a fragmented one"] = {
    begin("text", HELLO) .. compressed("text", HELLO), 1002, "6455 section 5.4" },
  ["a reserved type of block"] = { compressed("text", "\7"), 1007, "7692 section 7.2.2" },
  ["a stored block whose length is broken"] = {
    compressed("binary", "\0\5\0\0\0Hello\0"), 1007, "7.2.2" },
  ["a distance from before the first message"] = {
    compressed("text", HELLO_AGAIN), 1007, "7.2.2" },
  ["a message that ends inside a block"] = {
    compressed("text", HELLO:sub(1, 4)), 1007, "7.2.2" },
  ["a message that ends inside a stored block"] = {
    compressed("binary", HELLO_STORED:sub(1, 7)), 1007, "7.2.2" },
  ["a message with its tail left on, cut in the middle"] = {
    compressed("text", HELLO .. "\0\0"), 1007, "7.2.2" },
  ["what is not DEFLATE data behind a block with BFINAL"] = {
    compressed("text", HELLO_FINAL:sub(1, -2) .. "\xFF"), 1007, "7.2.2" },
  ["the beginning of a block behind a block with BFINAL"] = {
    compressed("text", HELLO_FINAL .. "\0\1"), 1007, "7.2.2" },
  ["a message that is not compressed at all"] = {
    compressed("text", "Hello, is this thing on?"), 1007, "7.2.2" },
  ["text that is not UTF-8 when it is decompressed"] = {
    compressed("text", stored "a\xC0\x80" .. "\0"), 1007, "6455 section 8.1" },
  ["text that ends inside a character"] = {
    compressed("text", stored "a\xE2\x82" .. "\0"), 1007, "8.1" },
}

describe("a client that has agreed on compression takes", function()
  for name, case in pairs(valid) do
    it(name, function()
      assert.same(case[2], receive(new_client(), case[1]))
      assert.same(case[2], receive_in_pieces(new_client(), case[1], function() return 1 end))
    end)
  end
end)

describe("a client that has agreed on compression fails with", function()
  for name, case in pairs(broken) do
    it(("%d on %s"):format(case[2], name), function()
      for _, size in ipairs { #case[1], 1 } do
        local events = receive_in_pieces(new_client(), case[1], function() return size end)
        local last = events[#events]
        assert.same({ "failure", case[2] }, { last[1], last[2] })
        assert.truthy(last[3]:find(case[3], 1, true), last[3])
      end
    end)
  end

  it("1002 on RSV1 when nothing was agreed on", function()
    local event = receive(binding.protocol.new(), compressed("text", HELLO))[1]
    assert.same({ "failure", 1002 }, { event[1], event[2] })
    assert.matches("no extension is in use", event[3])
  end)

  it("1007 on text that is not UTF-8, before the message is whole", function()
    local input = begin("text", stored("abc\xED\xA0" .. ("x"):rep(100)))
    assert.same({}, receive(new_client(), input:sub(1, 10)))
    assert.equal("failure", receive(new_client(), input:sub(1, 12))[1][1])
  end)
end)

describe("the window of the server", function()
  it("is forgotten behind each message without takeover, blocks with BFINAL or not", function()
    local parameters = { server = { no_context_takeover = true } }
    for _, first in ipairs { HELLO, HELLO_FINAL, HELLO_FINAL:sub(1, -2), HELLO_STORED } do
      local again = receive(new_client(parameters), compressed("text", first) ..
        compressed("text", first) .. compressed("text", HELLO_AGAIN))
      assert.same({ "message", "Hello", "text" }, again[2])
      assert.same({ "failure", 1007 }, { again[3][1], again[3][2] })
    end
  end)

  it("is as large as was agreed on", chance(function()
    local noise, server = chance.bytes(400), new_server()
    local input = server:compress(noise .. ("x"):rep(100)) -- then it refers 500 bytes back
    input = compressed("binary", input) .. compressed("binary", server:compress(noise))
    for bits = 8, 15 do
      local last = receive(new_client { server = { window_bits = bits } }, input)[2]
      if bits < 9 then
        assert.same({ "failure", 1007 }, { last[1], last[2] })
      else
        assert.same({ "message", noise, "binary" }, last)
      end
    end
  end))
end)

-- Every pair of window bits, with each of the four ways to take the context over.
describe("a conversation", function()
  local function converse(parameters)
    local client, server = new_client(parameters), new_server(parameters)
    local input, expected, queue, sent = {}, {}, new_queue(), {}
    for i = 1, 6 do
      local size = math.random(4) == 1 and math.random(0, 3) or math.random(0, 1500)
      local text = math.random(8) == 1 and chance.bytes(size) or random_text(size)
      local payload = server:compress(text)
      input[#input + 1] = payload and compressed("binary", payload) or frame("binary", text)
      expected[i] = { "message", text, "binary" }
      sent[i] = random_text(math.random(0, 1500))
      queue:push(sent[i], true)
    end
    assert.same(expected, receive_in_pieces(client, table.concat(input), function()
      return math.random(1, 700)
    end))
    for i, message in ipairs(sent_by(client, queue, math.random(256, 3000))) do
      assert.equal(sent[i], message[4] and server:decompress(message[2]) or message[2])
    end
  end

  for flags = 0, 3 do
    local ours, theirs = flags & 1 ~= 0, flags & 2 ~= 0
    local which = { [0] = "both", "the server's", "the client's", "no" }
    it(("is understood with windows of all sizes and %s context taken over"):format(which[flags]),
      chance(function()
        for client = 8, 15 do
          for server = 8, 15 do
            converse {
              client = { window_bits = client, no_context_takeover = ours },
              server = { window_bits = server, no_context_takeover = theirs },
              level = math.random(1, 9),
            }
          end
        end
      end))
  end

  it("of large messages is understood, too", chance(function()
    for _ = 1, 5 do
      local parameters = { server = { window_bits = math.random(8, 15) } }
      local client, server = new_client(parameters), new_server(parameters)
      for _ = 1, 3 do
        local text = random_text(math.random(1000, 300000)) -- enough to be worth compressing
        local payload, at, input = server:compress(text), 1, {}
        while at <= #payload do -- in fragments
          local size = math.random(1, 50000)
          local options = { rsv = at == 1 and RSV1, fin = at + size > #payload }
          input[#input + 1] = frame(at == 1 and "text" or "continuation",
            payload:sub(at, at + size - 1), options)
          at = at + size
        end
        assert.same({ { "message", text, "text" } },
          receive_in_pieces(client, table.concat(input), function()
            return math.random(1, 70000)
          end))
      end
    end
  end))
end)

describe("what comes in compressed", function()
  it("never breaks the client, whatever it is", chance(function()
    for _ = 1, 1000 do
      local parameters = { server = { no_context_takeover = math.random(2) == 1 } }
      local client = new_client(parameters, 100000)
      local payload = new_server():compress(random_text(math.random(10, 2000))) or HELLO
      local changed = {}
      for i = 1, #payload do changed[i] = payload:sub(i, i) end
      for _ = 1, math.random(3) do
        local at = math.random(#changed)
        changed[at] = chance.bytes(math.random(0, 4))
      end
      local input = compressed("binary", table.concat(changed))
      for _, event in ipairs(receive(client, input .. input)) do
        assert.truthy(event[1] == "message" or event[2] == 1007 or event[2] == 1009)
      end
    end
  end))
end)

describe("max_message_size", function()
  local MEBIBYTE = 1 << 20

  it("bounds nothing that fits into memory where it is more than all of it", function()
    for _, size in ipairs { 1 << 31, 1 << 32, (1 << 32) + 10, 1 << 40, 1 << 48, 1 << 53, math.huge } do
      assert.same({ { "message", "Hello", "text" } },
        receive(new_client({}, size), compressed("text", HELLO)))
    end
  end)

  -- On 32 bits such a frame can begin, since how much it inflates to is not known, and cannot end.
  it("does not take a frame of more than 32 bits for one of its lower 32 bits", function()
    for _, more_than in ipairs { 1 << 32, 1 << 40 } do
      local client = new_client({}, 1 << 48)
      local events = receive(client, frame("text", HELLO,
        { rsv = RSV1, form = 8, length = more_than + #HELLO }))
      assert.truthy(#events == 0 or events[1][2] == 1009)
    end
  end)

  it("bounds what a message inflates to, and the memory for it, while inflating", function()
    local bomb = compressed("binary", new_server():compress(("\0"):rep(64 * MEBIBYTE)))
    for _, size in ipairs { #bomb, 4096, 1 } do
      local client = new_client({}, MEBIBYTE)
      local events = receive_in_pieces(client, bomb:sub(1, 2000), function() return size end)
      local last = events[#events]
      assert.same({ "failure", 1009 }, { last[1], last[2] })
      assert.truthy(client:state().assembly <= MEBIBYTE + 1, client:state().assembly)
    end
  end)

  it("is the largest size that passes", chance(function()
    for _, size in ipairs { 0, 1, 10, 1000, 100000 } do
      for _, text in ipairs { ("x"):rep(size), chance.bytes(size) } do
        local at_limit = stored(text:sub(1, 65535)) .. stored(text:sub(65536)) .. "\0"
        local over = stored(text:sub(1, 65535)) .. stored(text:sub(65536) .. "x") .. "\0"
        local client = new_client({}, size)
        assert.same({ { "message", text, "binary" } },
          receive(client, compressed("binary", at_limit)))
        assert.same({ { "message", text, "binary" } },
          receive(client, begin("binary", at_limit:sub(1, 6)) .. finish(at_limit:sub(7))))
        assert.truthy(client:state().assembly <= size + 1)
        assert.equal(1009, receive(client, compressed("binary", over))[1][2])
      end
    end
  end))

  it("holds for the fragments of a message together", function()
    local client = new_client({}, 100)
    assert.same({}, receive(client, begin("binary", stored(("x"):rep(99)))))
    assert.same({}, receive(client, more(stored "x")))
    assert.equal(1009, receive(client, more(stored "x"))[1][2])
  end)

  it("lets a frame announce an eighth and 1 KiB more, and not a byte over that", function()
    local function announce(length)
      return frame("binary", "", { rsv = RSV1, form = 8, length = length })
    end
    local most = 80000 + 10000 + 1024
    assert.same({}, receive(new_client({}, 80000), announce(most)))
    assert.equal(1009, receive(new_client({}, 80000), announce(most + 1))[1][2])
    assert.equal(1009, receive(new_client({}, 80000), announce(math.maxinteger))[1][2])
  end)

  it("is compared with the wire for plain messages, after compressed ones, too", function()
    local client = new_client({}, 1000)
    receive(client, compressed("text", HELLO))
    assert.equal(1009, receive(client, frame("binary", ("x"):rep(1001)))[1][2])
  end)
end)

describe("sending", function()
  local long = {}
  for i = 1, 1000 do long[i] = words[i * i * 7 % #words + 1] end
  long = table.concat(long):sub(1, 5000)

  it("compresses messages of the threshold's size and over", function()
    local client, queue = new_client { threshold = 1000 }, new_queue()
    queue:push(long:sub(1, 999))
    queue:push(long:sub(1, 1000), true)
    local frames = sent_by(client, queue)
    assert.same({ "text", long:sub(1, 999), nil }, { frames[1][1], frames[1][2], frames[1][4] })
    assert.same({ "binary", true }, { frames[2][1], frames[2][4] })
    assert.truthy(#frames[2][2] < 1000)
    assert.equal(long:sub(1, 1000), inflate(frames[2][2] .. TAIL, "", 32768))
  end)

  it("leaves messages alone that do not become smaller, and goes on behind them", chance(function()
    local client, server, queue = new_client(), new_server(), new_queue()
    local noise = chance.bytes(3000)
    local messages = { long, noise, "", "x", long, noise, noise, long }
    for _, message in ipairs(messages) do queue:push(message, true) end
    for i, sent in ipairs(sent_by(client, queue, 300)) do
      assert.equal(messages[i] == long or nil, sent[4])
      assert.equal(messages[i], sent[4] and server:decompress(sent[2]) or sent[2])
    end
  end))

  it("refers to the messages before, unless context takeover is off", function()
    for _, off in ipairs { false, true } do
      local client, queue = new_client { client = { no_context_takeover = off } }, new_queue()
      for _ = 1, 3 do queue:push(long) end
      local frames = sent_by(client, queue)
      local first, second, third = frames[1][2], frames[2][2], frames[3][2]
      assert.equal(off, #second == #first)
      assert.truthy(off or #second < 100)
      assert.equal(long, inflate(third .. TAIL, off and "" or long .. long, 32768))
    end
  end)

  it("keeps to its window, as another reader of DEFLATE data sees it", chance(function()
    for bits = 8, 15 do
      local client = new_client { client = { window_bits = bits }, level = math.random(1, 9) }
      local queue, history = new_queue(), ""
      local messages = {}
      for i = 1, 4 do
        -- What it would like to refer to lies at every distance around the window's size.
        local noise = chance.bytes((1 << bits) // 2 - math.random(0, 300))
        messages[i] = (noise .. noise:sub(1, -math.random(1, 20)) .. noise):sub(1, 3000)
        queue:push(messages[i], true)
      end
      for i, sent in ipairs(sent_by(client, queue)) do
        local text, finals = sent[2], 0
        if sent[4] then
          text, finals = inflate(sent[2] .. TAIL, history, 1 << bits)
          history = (history .. text):sub(-32768)
        end
        assert.equal(messages[i], text)
        assert.equal(0, finals)
      end
    end
  end))

  it("gives a large message out in pieces, a ping behind it, and keeps it", chance(function()
    local client, server, queue = new_client(), new_server(), new_queue()
    local text = random_text(200000)
    queue:push(text)
    queue:push(long)
    local parts = { client:output(queue, 1000, true) }
    assert.equal(1000, #parts[1])
    assert.same({ 2, #text + #long, 0, 0 }, { queue:counters() })
    client:ping "between"
    repeat
      parts[#parts + 1] = client:output(queue, 1000, true)
    until parts[#parts] == ""
    local frames = wire.read(table.concat(parts), true)
    assert.same({ "text", "ping", "text" }, { frames[1][1], frames[2][1], frames[3][1] })
    assert.equal(text, server:decompress(frames[1][2]))
    assert.same({ "between", nil }, { frames[2][2], frames[2][4] })
    assert.equal(long, server:decompress(frames[3][2]))
    assert.same({ 0, 0, 2, #text + #long }, { queue:counters() })
    assert.truthy(client:state().compressed <= 4096)
  end))

  it("sends a message that a lost connection cut again, compressed or not", chance(function()
    local queue, text = new_queue(), random_text(20000)
    for _, second in ipairs { new_client(), binding.protocol.new() } do
      queue:push(text)
      local first = new_client()
      first:output(queue, 256)
      queue:rewind()
      local sent = sent_by(second, queue)[1]
      assert.equal(text, sent[4] and new_server():decompress(sent[2]) or sent[2])
      queue:clear()
    end
  end))

  it("does not compress control frames, nor the close frame's reason", function()
    local client, queue = new_client(), new_queue()
    client:ping(("p"):rep(125))
    client:close(1000, ("r"):rep(123))
    for _, sent in ipairs(sent_by(client, queue)) do assert.is_nil(sent[4]) end
  end)
end)

describe("zlib's memory", function()
  local text = ("text "):rep(100)

  it("is not taken before it is needed", function()
    local client = binding.deflate.new {}
    assert.same({ deflater = false, inflater = false, capacity = 0 }, client:state())
    client:compress(text)
    assert.same({ deflater = true, inflater = false, capacity = 0 }, client:state())
    client:decompress(HELLO)
    assert.same({ deflater = true, inflater = true, capacity = 0 }, client:state())
  end)

  it("is not taken for empty messages", function()
    local client = binding.deflate.new {}
    assert.is_nil(client:compress "")
    assert.equal("", client:decompress "")
    assert.same({ deflater = false, inflater = false, capacity = 0 }, client:state())
  end)

  it("is given back behind each message where none refers to another", function()
    local one = { no_context_takeover = true }
    local client = binding.deflate.new { client = one, server = one }
    assert.truthy(client:compress(text))
    assert.equal("Hello", client:decompress(HELLO))
    assert.equal("Hello", client:decompress(HELLO_FINAL))
    assert.same({ deflater = false, inflater = false, capacity = 0 }, client:state())
  end)

  it("is given back where a message was not worth it", function()
    local client = binding.deflate.new {}
    assert.is_nil(client:compress "abc")
    assert.False(client:state().deflater)
  end)
end)
