local chance = require "support.chance"
local protocol = require "support.protocol"
local wire = require "support.wire"
local binding = require "core_binding"
local core, new_queue = binding.protocol, binding.queue.new

local frame, more, finish, reason = wire.frame, wire.more, wire.finish, wire.reason
local receive, receive_in_pieces = protocol.receive, protocol.receive_in_pieces
local empty = new_queue()

-- A fragment, the first of a message.
local function begin(kind, payload)
  return frame(kind, payload, { fin = false })
end

-- All that is to be sent now, read as frames.
local function sent_by(connection, queue, ...)
  local parts = {}
  repeat
    parts[#parts + 1] = connection:output(queue or empty, ...)
  until parts[#parts] == ""
  local bytes = table.concat(parts)
  local frames, position = wire.read(bytes)
  assert.equal(#bytes + 1, position, "bytes behind the last whole frame")
  return frames, bytes
end

-- Without their keys.
local function plain(frames)
  local without = {}
  for i, sent in ipairs(frames) do
    without[i] = { sent[1], sent[2] }
  end
  return without
end

local function plainly_sent_by(...)
  return plain(sent_by(...))
end

-- The rest of what is to be sent, behind what is in parts.
local function send_on(connection, queue, parts, ...)
  repeat
    parts[#parts + 1] = connection:output(queue, ...)
  until parts[#parts] == ""
  return plain(wire.read(table.concat(parts)))
end

-- What comes in, and the events that are to come out; of what is broken, the code and the section.
local MAX = 200000 -- max_message_size for all of them
local long = ("0123456789"):rep(10000)
local full = long:sub(1, 125) -- what fills a control frame

local valid = {
  ["an empty text"] = { frame("text", ""), { { "message", "", "text" } } },
  ["an empty binary message"] = { frame("binary", ""), { { "message", "", "binary" } } },
  ["messages behind each other"] = {
    frame("text", "one") .. frame("binary", "\xFF\0") .. frame("text", "grüße"),
    { { "message", "one", "text" }, { "message", "\xFF\0", "binary" },
      { "message", "grüße", "text" } },
  },
  ["every form of the length"] = {
    frame("text", long:sub(1, 125)) .. frame("text", long:sub(1, 126)) ..
      frame("binary", long:sub(1, 65535)) .. frame("text", long:sub(1, 65536)) ..
      frame("text", long),
    { { "message", long:sub(1, 125), "text" }, { "message", long:sub(1, 126), "text" },
      { "message", long:sub(1, 65535), "binary" }, { "message", long:sub(1, 65536), "text" },
      { "message", long, "text" } },
  },
  ["a message in fragments"] = {
    begin("text", "a") .. more("b") .. finish("c"),
    { { "message", "abc", "text" } },
  },
  ["fragments that are empty"] = {
    begin("text", "") .. more("") .. finish("x") ..
      begin("binary", "") .. finish("") ..
      begin("binary", "y") .. finish(""),
    { { "message", "x", "text" }, { "message", "", "binary" }, { "message", "y", "binary" } },
  },
  ["fragments cut inside characters"] = {
    begin("text", "gr\xC3") .. more("\xBC\xF0\x9F") ..
      finish("\x99\x82"),
    { { "message", "grü🙂", "text" } },
  },
  ["control frames between fragments"] = {
    begin("text", "a\xF0\x9F") .. frame("ping", "p") .. more("\x99") ..
      frame("pong", "q") .. finish("\x82") .. frame("text", "next"),
    { { "ping", "p" }, { "pong", "q" }, { "message", "a🙂", "text" },
      { "message", "next", "text" } },
  },
  ["control frames of every size"] = {
    frame("ping", "") .. frame("ping", full) .. frame("pong", "") .. frame("pong", full),
    { { "ping", "" }, { "ping", full }, { "pong", "" }, { "pong", full } },
  },
  ["a ping that has a frame in its payload"] = {
    frame("ping", frame("text", "not this")) .. frame("text", "this"),
    { { "ping", frame("text", "not this") }, { "message", "this", "text" } },
  },
  ["a message that has frames in its payload"] = {
    frame("binary", frame("text", "not this"):rep(20)),
    { { "message", frame("text", "not this"):rep(20), "binary" } },
  },
  ["a length that looks like the beginning of a frame"] = {
    frame("binary", ("\0"):rep(0x8105)), { { "message", ("\0"):rep(0x8105), "binary" } },
  },
  ["a long message in fragments, then a short one"] = {
    begin("binary", long) .. finish(long) .. frame("text", "short"),
    { { "message", long .. long, "binary" }, { "message", "short", "text" } },
  },
  ["a close frame without a code"] = { frame("close", ""), { { "close", 1005, "" } } },
  ["a close frame with a code"] = { frame("close", reason(1000)), { { "close", 1000, "" } } },
  ["a close frame with a reason"] = {
    frame("text", "last") .. frame("close", reason(4000, ("ü"):rep(61) .. ".")),
    { { "message", "last", "text" }, { "close", 4000, ("ü"):rep(61) .. "." } },
  },
  ["a close frame, and more that is ignored"] = {
    frame("close", reason(1001, "bye")) .. frame("text", "late") .. frame("ping", "late") ..
      "\xFF\xFF\xFF",
    { { "close", 1001, "bye" } },
  },
  ["a close frame inside a fragmented message"] = {
    begin("text", "never whole") .. frame("close", ""), { { "close", 1005, "" } },
  },
}

local broken = {
  ["RSV1"] = { frame("text", "x", { rsv = 0x40 }), 1002, "5.2" },
  ["RSV2"] = { frame("binary", "x", { rsv = 0x20 }), 1002, "5.2" },
  ["RSV3"] = { frame("text", "", { rsv = 0x10 }), 1002, "5.2" },
  ["RSV1 on a ping"] = { frame("ping", "", { rsv = 0x40 }), 1002, "5.2" },
  ["RSV1 on a continuation"] = {
    begin("text", "") .. frame("continuation", "", { rsv = 0x40 }), 1002, "5.2" },
  ["a masked message"] = { frame("text", "keyx", { masked = true, length = 0 }), 1002, "5.1" },
  ["a masked ping"] = { frame("ping", "keyx", { masked = true, length = 0 }), 1002, "5.1" },
  ["a masked frame with a long length"] = { frame("binary", long, { masked = true }), 1002, "5.1" },
  ["125 bytes in two length bytes"] = { frame("text", full, { form = 2 }), 1002, "5.2" },
  ["0 bytes in two length bytes"] = { frame("binary", "", { form = 2 }), 1002, "5.2" },
  ["65535 bytes in eight length bytes"] = {
    frame("text", long:sub(1, 65535), { form = 8 }), 1002, "5.2" },
  ["0 bytes in eight length bytes"] = { frame("text", "", { form = 8 }), 1002, "5.2" },
  ["a length with the top bit"] = {
    frame("text", "", { form = 8, length = math.mininteger }), 1002, "5.2" },
  ["all bits in the length"] = { frame("text", "", { form = 8, length = -1 }), 1002, "5.2" },
  ["a fragmented ping"] = { frame("ping", "", { fin = false }), 1002, "5.5" },
  ["a fragmented close frame"] = { frame("close", "", { fin = false }), 1002, "5.5" },
  ["a ping of 126 bytes"] = { frame("ping", long:sub(1, 126)), 1002, "5.5" },
  ["a pong of 65536 bytes"] = { frame("pong", long:sub(1, 65536)), 1002, "5.5" },
  ["a continuation of nothing"] = { finish("x"), 1002, "5.4" },
  ["a first continuation of nothing"] = { more("x"), 1002, "5.4" },
  ["a continuation behind a whole message"] = { frame("text", "a") .. finish("x"), 1002, "5.4" },
  ["a continuation behind the last fragment"] = {
    begin("text", "a") .. finish("b") .. finish("c"), 1002, "5.4" },
  ["a message inside a message"] = { begin("text", "a") .. frame("text", "b"), 1002, "5.4" },
  ["a fragment of another message inside a message"] = {
    begin("text", "") .. begin("binary", "b"), 1002, "5.4" },
  ["half a close code"] = { frame("close", "\3"), 1002, "5.5.1" },
  ["a close reason that is not UTF-8"] = { frame("close", reason(1000, "a\xFF")), 1007, "5.5.1" },
  ["a close reason that ends inside a character"] = {
    frame("close", reason(1000, "\xE2\x82")), 1007, "5.5.1" },
  ["text that is not UTF-8"] = { frame("text", "a\xC0\x80"), 1007, "8.1" },
  ["a surrogate"] = { frame("text", "\xED\xA0\x80"), 1007, "8.1" },
  ["long text that is not UTF-8"] = { frame("text", long .. "\x80"), 1007, "8.1" },
  ["text that ends inside a character"] = { frame("text", "a\xE2\x82"), 1007, "8.1" },
  ["fragmented text that ends inside a character"] = {
    begin("text", "\xE2") .. finish("\x82"), 1007, "8.1" },
  ["fragmented text that ends inside a character, with an empty last fragment"] = {
    begin("text", "\xE2") .. finish(""), 1007, "8.1" },
  ["a character that goes wrong in the next fragment"] = {
    begin("text", "\xE2") .. finish("a"), 1007, "8.1" },
  ["an announced message over the limit"] = {
    frame("binary", "", { form = 8, length = MAX + 1 }), 1009, "7.4.1" },
  ["a length of 63 bits"] = {
    frame("text", "", { form = 8, length = math.maxinteger }), 1009, "7.4.1" },
  ["fragments that come to more than the limit"] = {
    begin("binary", long) .. more(long) ..
      frame("continuation", "", { form = 0, length = 1 }), 1009, "7.4.1" },
}
for _, opcode in ipairs { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
  broken["opcode " .. opcode] = { frame(opcode, ""), 1002, "5.2" }
end

-- Ways to cut a stream: not at all, in two near its beginning, in bytes, and in random pieces.
local function feeds_of(bytes)
  local feeds = { { "whole", function() return #bytes end } }
  for first = 1, math.min(#bytes - 1, 30) do
    local sizes = { first, #bytes }
    table.insert(feeds, { "in two", function() return table.remove(sizes, 1) end })
  end
  if #bytes < 1000 or math.random(5) == 1 then
    table.insert(feeds, { "byte by byte", function() return 1 end })
  end
  for _ = 1, 6 do
    local most = #bytes < 1000 and 9 or 40000
    table.insert(feeds, { "in pieces", function() return math.random(1, most) end })
  end
  return feeds
end

describe("what the peer sends", function()
  for name, case in pairs(valid) do
    it("is understood however it is cut: " .. name, chance(function()
      for _, feed in ipairs(feeds_of(case[1])) do
        assert.same(case[2], receive_in_pieces(core.new(MAX), case[1], feed[2]), feed[1])
      end
    end))
  end

  for name, case in pairs(broken) do
    it("is refused however it is cut: " .. name, chance(function()
      local bytes = case[1] .. frame("text", "ignored")
      for _, feed in ipairs(feeds_of(bytes)) do
        local connection = core.new(MAX)
        local events = receive_in_pieces(connection, bytes, feed[2])
        local last = events[#events]
        assert.equal("failure", last[1], feed[1])
        assert.equal(case[2], last[2], feed[1])
        assert.truthy(last[3]:find("RFC 6455 section " .. case[3], 1, true), last[3])
        for i = 1, #events - 1 do
          assert.equal("message", events[i][1])
        end
        assert.False(connection:state().finished)
        assert.same({ { "close", reason(case[2]) } }, plainly_sent_by(connection))
        assert.True(connection:state().finished)
        assert.False(connection:state().close_received)
      end
    end))
  end

  it("is understood as a random stream however it is cut", chance(function()
    for _ = 1, 30 do
      local parts, expected, fragments, kind = {}, {}, nil, nil
      for i = 1, math.random(1, 30) do
        local control = math.random(4) == 1
        local data = chance.bytes(math.random(0, math.random(10) == 1 and 3000 or 60))
        if control then
          data = data:sub(1, 125)
          local name = math.random(2) == 1 and "ping" or "pong"
          parts[i], expected[#expected + 1] = frame(name, data), { name, data }
        else
          local fin = math.random(2) == 1
          local name = fragments and "continuation" or math.random(2) == 1 and "text" or "binary"
          kind = fragments and kind or name
          data = kind == "text" and data:gsub("[\x80-\xFF]", "é") or data
          parts[i] = frame(name, data, { fin = fin })
          fragments = (fragments or "") .. data
          if fin then
            expected[#expected + 1] = { "message", fragments, kind }
            fragments = nil
          end
        end
      end
      local bytes = table.concat(parts)
      for _, feed in ipairs(feeds_of(bytes)) do
        assert.same(expected, receive_in_pieces(core.new(), bytes, feed[2]), feed[1])
      end
    end
  end))

  it("may be garbage of any kind without harm", chance(function()
    for _ = 1, 2000 do
      local connection = core.new(100000)
      local failures = 0
      for _ = 1, 5 do
        local garbage = chance.bytes(math.random(1, 40))
        if math.random(2) == 1 then -- not refused at the first byte
          local opcode = ({ 0, 1, 2, 8, 9, 10 })[math.random(6)]
          garbage = frame(opcode, garbage, { fin = math.random(2) == 1 })
        end
        for _, event in ipairs(receive(connection, garbage)) do
          failures = failures + (event[1] == "failure" and 1 or 0)
        end
      end
      assert(failures <= 1)
      sent_by(connection)
    end
  end))
end)

describe("text that is not UTF-8", function()
  it("is refused as soon as the first wrong byte is there, before the frame is whole", function()
    local connection = core.new()
    local bytes = frame("text", "abc\xED\xA0" .. ("x"):rep(100))
    assert.same({}, receive(connection, bytes:sub(1, 6)))
    assert.equal("failure", receive(connection, bytes:sub(7, 7))[1][1])
  end)

  it("is refused in the first fragment, before the message is whole", function()
    assert.equal(1007, receive(core.new(), begin("text", "\xC0"))[1][2])
  end)

  it("passes in binary messages", function()
    assert.equal("message", receive(core.new(), frame("binary", "\xC0\xED\xA0"))[1][1])
  end)
end)

describe("max_message_size", function()
  it("is the largest size that passes, whole or in fragments", function()
    for _, size in ipairs { 0, 10, 1000 } do
      local data = ("x"):rep(size)
      local connection = core.new(size)
      assert.equal("message", receive(connection, frame("binary", data))[1][1])
      local fragments = begin("text", data:sub(1, 5)) .. finish(data:sub(6))
      assert.equal("message", receive(connection, fragments)[1][1])
      assert.equal(1009, receive(connection, frame("binary", data .. "x"))[1][2])
    end
  end)

  it("is checked on what the header announces, before anything is stored", function()
    local connection = core.new(1000)
    assert.equal(1009, receive(connection, frame("binary", "", { form = 2, length = 1001 }))[1][2])
    assert.equal(0, connection:state().assembly)
  end)

  it("bounds nothing that fits into memory where it is more than all of it", function()
    for _, size in ipairs { 1 << 31, 1 << 32, (1 << 32) + 10, 1 << 40, 1 << 48, 1 << 53, math.huge } do
      local connection = core.new(size)
      assert.same({ { "message", "x", "text" } }, receive(connection, frame("text", "x")))
      local fragments = begin("binary", "01234") .. more("56789") .. finish("x")
      assert.same({ { "message", "0123456789x", "binary" } }, receive(connection, fragments))
    end
  end)

  it("is not got round by a length whose lower 32 bits are small", function()
    for _, length in ipairs { (1 << 32) + 5, 1 << 40, (1 << 62) + 1 } do
      local announced = frame("binary", "01234", { form = 8, length = length })
      assert.equal(1009, receive(core.new(1000), announced)[1][2])
    end
  end)

  it("does not hold for control frames", function()
    assert.equal("ping", receive(core.new(0), frame("ping", "x"))[1][1])
  end)
end)

describe("the memory for a message in pieces", function()
  it("is reserved at once, kept when small and given back when large", function()
    for size, kept in pairs { [1000] = true, [65536] = true, [65537] = false, [1000000] = false } do
      local connection = core.new()
      local bytes = frame("binary", ("x"):rep(size))
      receive(connection, bytes:sub(1, 500))
      local reserved = connection:state().assembly
      assert.truthy(reserved >= size and reserved < size + 100)
      assert.equal("message", receive(connection, bytes:sub(501))[1][1])
      assert.equal(kept and reserved or 0, connection:state().assembly)
    end
  end)

  it("is not used for a message that is whole in the input", function()
    local connection = core.new()
    receive(connection, frame("binary", ("x"):rep(100000)) .. frame("text", "x"))
    assert.equal(0, connection:state().assembly)
  end)
end)

describe("hold", function()
  it("keeps the rest of the input, so that the next events can be asked for later", function()
    local connection = core.new()
    connection:input(frame("text", "1") .. frame("ping", "2") .. frame("text", "3") ..
      frame("text", "45"):sub(1, 3))
    assert.same({ "message", "1", "text" }, { connection:next() })
    local pending = connection:state().pending
    assert.True(connection:hold()) -- the binding frees the input here
    assert.equal(pending, connection:state().pending)
    assert.same({ "ping", "2" }, { connection:next() })
    assert.True(connection:hold()) -- once more, in the middle of it
    assert.same({ { "message", "3", "text" } }, protocol.events_of(connection))
    assert.equal(0, connection:state().pending)
    assert.same({ { "message", "45", "text" } }, receive(connection, "5"))
  end)

  it("has nothing to do when the input is used up", function()
    local connection = core.new()
    assert.True(connection:hold())
    assert.same({}, protocol.events_of(connection))
    receive(connection, frame("text", "1"))
    assert.True(connection:hold())
    assert.same({ { "message", "2", "text" } }, receive(connection, frame("text", "2")))
  end)

  it("may come after any event of any stream", chance(function()
    for _ = 1, 200 do
      local sizes = {}
      for i = 1, 10 do
        sizes[i] = math.random(0, 300)
      end
      local bytes, expected, got = "", {}, {}
      for i, size in ipairs(sizes) do
        local data = ("x"):rep(size)
        bytes = bytes .. frame("binary", data)
        expected[i] = { "message", data, "binary" }
      end
      local connection, at = core.new(), 1
      while at <= #bytes do
        local size = math.random(1, 1000)
        connection:input(bytes:sub(at, at + size - 1))
        at = at + size
        repeat
          local event = { connection:next() }
          got[#got + 1] = event[1] and event
          if math.random(3) == 1 then
            connection:hold()
          end
        until not event[1]
      end
      assert.same(expected, got)
    end
  end))
end)

describe("a ping", function()
  it("is answered with its payload, in order", function()
    local connection = core.new()
    receive(connection, frame("ping", "1") .. frame("ping", "") .. frame("ping", full))
    assert.same({ { "pong", "1" }, { "pong", "" }, { "pong", full } }, plainly_sent_by(connection))
  end)

  it("is answered after our close frame as long as the peer's has not come", function()
    local connection = core.new()
    connection:close(1000)
    receive(connection, frame("ping", "still there?"))
    assert.same({ { "close", reason(1000) }, { "pong", "still there?" } },
      plainly_sent_by(connection))
  end)

  it("adds its answer to the backlog until that is handed out", function()
    local connection = core.new()
    receive(connection, frame("ping", "12345") .. frame("ping", ""))
    assert.equal(2 * 6 + 5, connection:state().backlog)
    connection:output(empty)
    assert.equal(0, connection:state().backlog)
  end)

  it("and a pong can be sent by hand, of up to 125 bytes", function()
    local connection = core.new()
    assert.True(connection:ping "a")
    assert.True(connection:pong(full))
    assert.False(connection:ping(long:sub(1, 126)))
    assert.same({ { "ping", "a" }, { "pong", full } }, plainly_sent_by(connection))
  end)
end)

describe("close codes", function()
  it("from the peer are those of RFC 6455 section 7.4 and the registry, all others fail", function()
    for code = 0, 65535 do
      local allowed = code >= 1000 and code <= 1003 or code >= 1007 and code <= 1014
        or code >= 3000 and code <= 4999
      local event = receive(core.new(), frame("close", reason(code)))[1]
      if allowed then
        assert(event[1] == "close" and event[2] == code, code)
      else
        assert(event[1] == "failure" and event[2] == 1002, code)
      end
    end
  end)
end)

describe("the closing handshake", function()
  it("of the peer is answered with its code", function()
    local connection = core.new()
    receive(connection, frame("close", reason(4001, "their reason")))
    assert.True(connection:state().close_received)
    assert.False(connection:state().close_sent)
    assert.False(connection:state().finished)
    assert.same({ { "close", reason(4001) } }, plainly_sent_by(connection))
    assert.True(connection:state().finished)
  end)

  it("of the peer without a code is answered without one", function()
    local connection = core.new()
    receive(connection, frame("close", ""))
    assert.same({ { "close", "" } }, plainly_sent_by(connection))
  end)

  it("of ours sends code and reason once, and is finished with the peer's answer", function()
    local connection = core.new()
    assert.True(connection:close(3000, ("r"):rep(123)))
    assert.True(connection:close(1000, "again"))
    assert.False(connection:state().close_sent)
    assert.same({ { "close", reason(3000, ("r"):rep(123)) } }, plainly_sent_by(connection))
    assert.True(connection:state().close_sent)
    assert.False(connection:state().finished)
    assert.same({ { "message", "late", "text" }, { "close", 3000, "" } },
      receive(connection, frame("text", "late") .. frame("close", reason(3000))))
    assert.True(connection:state().finished)
    assert.same({}, sent_by(connection))
  end)

  it("needs no code", function()
    local connection = core.new()
    connection:close()
    assert.same({ { "close", "" } }, plainly_sent_by(connection))
  end)

  it("that both begin at once sends one close frame each", function()
    local connection = core.new()
    connection:close(1000)
    receive(connection, frame("close", reason(1001)))
    assert.same({ { "close", reason(1000) } }, plainly_sent_by(connection))
    assert.True(connection:state().finished)
  end)

  it("that fails after our close frame went out sends no second one", function()
    local connection = core.new()
    connection:close(1000)
    sent_by(connection)
    assert.equal("failure", receive(connection, "\xFF\xFF")[1][1])
    assert.same({}, sent_by(connection))
    assert.True(connection:state().finished)
  end)

  it("lets no message begin after our close frame, and leaves them in the queue", function()
    local connection, queue = core.new(), new_queue()
    queue:push "never"
    connection:close(1000)
    assert.same({ { "close", reason(1000) } }, plainly_sent_by(connection, queue))
    assert.equal("never", queue:peek())
  end)

  it("lets a message that is part-way out end first", function()
    local connection, queue = core.new(), new_queue()
    queue:push(long)
    queue:push "never"
    local parts = { connection:output(queue, 256) }
    connection:close(1000)
    assert.same({ { "text", long }, { "close", reason(1000) } },
      send_on(connection, queue, parts, 256))
    assert.True(connection:state().close_sent)
    assert.equal("never", queue:peek())
  end)
end)

describe("sending", function()
  it("masks every frame with a key of its own, drawn in order from the pool", function()
    local connection, queue = core.new(), new_queue()
    local count = 3000
    for i = 1, count do
      queue:push(("message %d"):format(i), i % 2 == 0)
    end
    local frames = sent_by(connection, queue, 4096)
    assert.equal(count, #frames)
    for i, sent in ipairs(frames) do
      local kind = i % 2 == 0 and "binary" or "text"
      assert.same({ kind, ("message %d"):format(i), core.key(i - 1) }, sent)
    end
    assert.equal(math.ceil(count / 1024), connection:state().refills)
  end)

  it("draws keys for control frames, too", function()
    local connection, queue = core.new(), new_queue()
    connection:ping "p"
    connection:close(1000)
    local frames = sent_by(connection, queue)
    assert.same({ core.key(0), core.key(1) }, { frames[1][3], frames[2][3] })
  end)

  it("gives messages of every size out whole through an output of any size", chance(function()
    for _ = 1, chance.rounds(40) do
      local connection, queue, expected = core.new(), new_queue(), {}
      for i = 1, math.random(1, 30) do
        local sizes = { math.random(0, 10), math.random(100, 300), math.random(0, 70000),
          125, 126, 65535, 65536 }
        local size = sizes[math.random(#sizes)]
        expected[i] = { "binary", chance.bytes(50):rep(size // 50 + 1):sub(1, size) }
        queue:push(expected[i][2], true)
      end
      assert.same(expected, plainly_sent_by(connection, queue, math.random(256, 5000)))
      assert.same({ 0, 0, 0, 0 }, { queue:counters() })
    end
  end))

  it("puts control frames before messages", function()
    local connection, queue = core.new(), new_queue()
    queue:push "message"
    connection:ping "ping"
    assert.same({ { "ping", "ping" }, { "text", "message" } }, plainly_sent_by(connection, queue))
  end)

  it("puts a control frame that comes between two outputs of a large message behind it", function()
    local connection, queue = core.new(), new_queue()
    queue:push(long)
    queue:push "next"
    local parts = { connection:output(queue, 1000) }
    receive(connection, frame("ping", "between"))
    assert.same({ { "text", long }, { "pong", "between" }, { "text", "next" } },
      send_on(connection, queue, parts, 1000))
  end)

  it("gives out more control frames than fit, in order, before any message", function()
    local connection, queue, expected = core.new(), new_queue(), {}
    queue:push "message"
    for i = 1, 100 do
      connection:ping(("%d"):format(i):rep(20))
      expected[i] = { "ping", ("%d"):format(i):rep(20) }
    end
    expected[101] = { "text", "message" }
    assert.same(expected, plainly_sent_by(connection, queue, 256))
  end)

  it("writes no more than the output holds, and fills it", function()
    local connection, queue = core.new(), new_queue()
    queue:push(long)
    for _ = 1, 10 do
      assert.equal(333, #connection:output(queue, 333))
    end
  end)

  it("keeps messages that are through when asked to", function()
    local connection, queue = core.new(), new_queue()
    queue:push "1"
    queue:push(long)
    connection:output(queue, 1000, true)
    assert.same({ 1, #long, 1, 1 }, { queue:counters() })
    repeat until connection:output(queue, 1000, true) == ""
    assert.same({ 0, 0, 2, #long + 1 }, { queue:counters() })
  end)

  it("has nothing to give for an empty queue", function()
    assert.equal("", core.new():output(empty))
  end)

  it("sends a message that a lost connection cut again on the next one, whole", function()
    local queue = new_queue()
    queue:push(long)
    core.new():output(queue, 1000)
    queue:rewind()
    assert.same({ { "text", long } }, plainly_sent_by(core.new(), queue))
  end)
end)

describe("a message that has expired", function()
  it("is dropped and counted when it comes up", function()
    local connection, queue = core.new(), new_queue()
    queue:push("old", false, 9)
    queue:push("due", false, 10)
    queue:push("good", false, 10.5)
    queue:push("older", false, 1)
    assert.same({ { "text", "due" }, { "text", "good" } }, plainly_sent_by(connection, queue, 256, false, 10))
    assert.equal(2, connection:state().expired)
    assert.same({ 0, 0, 0, 0 }, { queue:counters() })
  end)

  it("is completed when it is part-way out", function()
    local connection, queue = core.new(), new_queue()
    queue:push(long, false, 10)
    local parts = { connection:output(queue, 1000, false, 9) }
    assert.same({ { "text", long } }, send_on(connection, queue, parts, 1000, false, 11))
    assert.equal(0, connection:state().expired)
  end)

  it("leaves kept ones before it alone", function()
    local connection, queue = core.new(), new_queue()
    queue:push "kept"
    queue:push("old", false, 1)
    sent_by(connection, queue, 256, true, 2)
    assert.same({ 0, 0, 1, 4 }, { queue:counters() })
    queue:rewind()
    assert.same({ { "text", "kept" } }, plainly_sent_by(core.new(), queue, 256, true, 2))
  end)
end)

describe("a drop while a message is part-way out", function()
  it("takes the next one, and the wire stays whole", function()
    local connection, queue = core.new(), new_queue()
    queue:push(long)
    queue:push "dropped"
    queue:push "last"
    local parts = { connection:output(queue, 1000) }
    assert.True(queue:drop())
    assert.same({ { "text", long }, { "text", "last" } },
      send_on(connection, queue, parts, 1000))
  end)
end)
