-- RFC 7692: permessage-deflate. cases.lua says what is in a case.

local deflate = require "support.deflate"
local row = require "conformance.row"
local wire = require "support.wire"

local frame = wire.frame

local COMPRESSED = 0x40 -- RSV1
local HEADER = "Sec-WebSocket-Extensions"
local BITS_MIN, BITS_MAX = 8, 15

local function compressed(kind, payload, options)
  options = options or {}
  options.rsv = COMPRESSED
  return frame(kind, payload, options)
end

local function answer(value)
  return { headers = { [HEADER] = value } }
end

--------------------------------------------------------------------------------------------------
-- Agreements

-- Parameters as they stand in a header; a flag is true, window bits are a number.
local function written(parameters)
  local words = { "permessage-deflate" }
  for _, name in ipairs {
    "server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
    "client_max_window_bits",
  } do
    local value = parameters[name]
    if value == true then words[#words + 1] = name
    elseif value then words[#words + 1] = ("%s=%d"):format(name, value) end
  end
  return table.concat(words, "; ")
end

-- Five messages that have much in common with those before them, at distances from some bytes to
-- more than the smaller windows, and an empty one.
local VERSE = "the client sends %s and the server answers %s; "
local function chapter(a, b) return VERSE:format(a, b):rep(3) .. ("%s%s"):format(b, a):rep(30) end
local TALK = {
  { "text", chapter("prices", "orders") },
  { "text", chapter("orders", "prices") },
  { "text", "" },
  { "binary", chapter("prices", "\0\255") },
  { "text", chapter("prices", "orders") .. "ünïcödé" },
}

-- The server's side of it: which messages go out compressed in one frame, in two, and as they are.
local function spoken(window, takeover)
  local frames, history = {}, ""
  for i, message in ipairs(TALK) do
    local kind, data = message[1], message[2]
    local payload = deflate.message(data, history, window)
    history = takeover and (history .. data):sub(-window) or ""
    if i == 2 then
      frames[#frames + 1] = compressed(kind, payload:sub(1, 9), { fin = false })
      frames[#frames + 1] = frame("ping", "between")
      frames[#frames + 1] = frame("continuation", payload:sub(10))
    else
      frames[#frames + 1] = compressed(kind, payload)
    end
    if i == 4 then frames[#frames + 1] = frame("text", "as it is") end
  end
  return table.concat(frames)
end

local HEARD = {}
for i, message in ipairs(TALK) do
  HEARD[#HEARD + 1] = message
  if i == 4 then HEARD[#HEARD + 1] = { "text", "as it is" } end
end

local spoken_before = {}

local function talk(parameters)
  local bits = parameters.server_max_window_bits or BITS_MAX
  local takeover = not parameters.server_no_context_takeover
  local key = bits .. tostring(takeover)
  spoken_before[key] = spoken_before[key] or spoken(1 << bits, takeover)
  return spoken_before[key]
end

local function agreed_on(parameters)
  return {
    bits = parameters.client_max_window_bits or BITS_MAX,
    takeover = not parameters.client_no_context_takeover,
  }
end

local function conversation(name, offered, answered)
  return {
    name = name,
    compression = offered,
    answer = answer(written(answered)),
    agreed = agreed_on(answered),
    says = { talk(answered) },
    messages = HEARD,
    pongs = { "between" },
    echo = true,
  }
end

local FLAGS = {
  { "with context takeover", nil, nil },
  { "with server_no_context_takeover", true, nil },
  { "with client_no_context_takeover", nil, true },
  { "with both no_context_takeover", true, true },
}
local NONE = {}

local function named(bits) return bits ~= NONE and tostring(bits) or "none" end

-- Each of these for the server's window with each of those for the client's: make(name, parameters).
local function combined(flags, server, client, make)
  local cases = {}
  for _, server_bits in ipairs(server) do
    for _, client_bits in ipairs(client) do
      table.insert(cases, make(("%s and %s"):format(named(server_bits), named(client_bits)), {
        server_no_context_takeover = flags[2],
        client_no_context_takeover = flags[3],
        server_max_window_bits = server_bits ~= NONE and server_bits or nil,
        client_max_window_bits = client_bits ~= NONE and client_bits or nil,
      }))
    end
  end
  return cases
end

-- An answer to an offer that leaves all of it to the server; an offer, accepted as it is.
local function answered(name, parameters) return conversation(name, {}, parameters) end
local function offered(name, parameters) return conversation(name, parameters, parameters) end

local EACH = { NONE, 8, 9, 10, 11, 12, 13, 14, 15 }
local WIDE = { NONE, 9, 10, 11, 12, 13, 14, 15 }

local negotiation = { title = "Compression: what is agreed on" }
for _, flags in ipairs(FLAGS) do
  table.insert(negotiation, row("7692", "7.1", "MUST", ("An answer %s; server_max_window_bits none or "
    .. "8 to 15, client_max_window_bits none or 9 to 15"):format(flags[1]),
    combined(flags, EACH, WIDE, answered)))
end
for _, flags in ipairs(FLAGS) do
  table.insert(negotiation, row("7692", "7.1", "MUST", ("An offer %s, of some window bits, which is "
    .. "accepted"):format(flags[1]), combined(flags, { NONE, 8, 12, 15 }, { NONE, 9, 12, 14 }, offered)))
end
-- A client may have no such window; it has to fail the connection then.
for _, flags in ipairs(FLAGS) do
  table.insert(negotiation, row("7692", "7.1.2.2", "MAY", ("An answer %s and client_max_window_bits=8 "
    .. "is kept to; server_max_window_bits none or 8 to 15"):format(flags[1]),
    combined(flags, EACH, { 8 }, answered)))
end

--------------------------------------------------------------------------------------------------
-- Answers that are none

local function refused(list)
  local cases = {}
  for _, one in ipairs(list) do
    cases[#cases + 1] = {
      name = "`" .. one[1] .. "`",
      compression = one[2] or {},
      answer = answer("permessage-deflate; " .. one[1]),
      refused = true,
    }
  end
  return cases
end

local bad_bits = {}
for _, name in ipairs { "server_max_window_bits", "client_max_window_bits" } do
  for _, value in ipairs { "", "=", "=7", "=16", "=0", "=-8", "=08", "=+9", "=9.0", "=1e1", "=x", "=100" } do
    bad_bits[#bad_bits + 1] = { name .. value }
  end
end

local answers_refused = {
  title = "Compression: answers",
  row("7692", "5.1", "MAY", "The server may decline; then nothing is compressed", {
    { name = "no header", compression = {}, messages = { { "text", TALK[1][2] } },
      says = { frame("text", TALK[1][2]) }, echo = true },
  }),
  row("7692", "7.1", "MUST", "An answer may be written in several ways", {
    conversation("blanks", {}, { server_no_context_takeover = true, client_max_window_bits = 10 }),
    conversation("a value in quotes", {}, { server_no_context_takeover = true, client_max_window_bits = 10 }),
    conversation("another order", {}, { server_no_context_takeover = true, client_max_window_bits = 10 }),
  }),
  row("7692", "7.1", "MUST", "A parameter that there is not fails the connection", refused {
    { "unknown" }, { "unknown=1" }, { "server_max_window" }, { "Server_No_Context_Takeover_" },
    { "client_max_window_bits=10; unknown" },
  }),
  row("7692", "7.1", "MUST", "A parameter that comes twice fails it", refused {
    { "server_no_context_takeover; server_no_context_takeover" },
    { "client_no_context_takeover; client_no_context_takeover" },
    { "server_max_window_bits=10; server_max_window_bits=10" },
    { "client_max_window_bits=10; client_max_window_bits=11" },
  }),
  row("7692", "7.1.1", "MUST", "A value for a parameter that takes none fails it", refused {
    { "server_no_context_takeover=1" }, { "client_no_context_takeover=1" },
    { "server_no_context_takeover=true" }, { "client_no_context_takeover=\"\"" },
  }),
  row("7692", "7.1.2", "MUST", "Window bits that are not 8 to 15, without leading zeros, fail it", refused(bad_bits)),
  row("7692", "7.1.2.1", "MUST NOT be sent", "More server_max_window_bits than were asked for fail it", refused {
    { "server_max_window_bits=11", { server_max_window_bits = 10 } },
    { "server_max_window_bits=15", { server_max_window_bits = 14 } },
  }),
  row("7692", "7.1", "MUST NOT be sent", "An answer that leaves out what was asked of the server fails it", refused {
    { "client_no_context_takeover", { server_no_context_takeover = true } },
    { "client_max_window_bits=10", { server_max_window_bits = 10 } },
  }),
}
local writings = answers_refused[2].cases
writings[1].answer = answer "permessage-deflate ;\tserver_no_context_takeover  ; client_max_window_bits = 10"
writings[2].answer = answer 'permessage-deflate; server_no_context_takeover; client_max_window_bits="10"'
writings[3].answer = answer "permessage-deflate; client_max_window_bits=10; server_no_context_takeover"

--------------------------------------------------------------------------------------------------
-- Frames: section 6

local PLAIN = "permessage-deflate"

local function over(value, case)
  case.compression = case.compression or {}
  case.answer = answer(value)
  case.agreed = case.agreed or agreed_on {}
  return case
end

local function reads(name, bytes, ...)
  return over(PLAIN, { name = name, says = { bytes }, messages = { ... }, echo = true })
end

local function fails(name, codes, bytes, messages, value)
  return over(value or PLAIN, { name = name, says = { bytes }, messages = messages, fails = codes })
end

local HELLO = "\xF2\x48\xCD\xC9\xC9\x07\x00" -- section 7.2.3.1

local function bit_by_bit(payload)
  local frames = {}
  for i = 1, #payload do
    local make = i == 1 and compressed or frame
    frames[i] = make(i == 1 and "text" or "continuation", payload:sub(i, i), { fin = i == #payload })
  end
  return table.concat(frames)
end

local marked = {
  fails("a continuation", { 1002 }, compressed("text", HELLO:sub(1, 3), { fin = false })
    .. compressed("continuation", HELLO:sub(4))),
  fails("a continuation of a plain message", { 1002 }, frame("text", "a", { fin = false })
    .. compressed("continuation", "b")),
}
for _, kind in ipairs { "ping", "pong", "close" } do
  table.insert(marked, fails("a " .. kind, { 1002 },
    compressed(kind, kind == "close" and wire.reason(1000) or "x")))
end
local others = {}
for _, bits in ipairs { 0x10, 0x20, 0x30, 0x50, 0x60, 0x70 } do
  table.insert(others, fails(tostring(bits >> 4), { 1002 }, frame("text", HELLO, { rsv = bits })))
end

local frames = {
  title = "Compression: frames",
  row("7692", "6", "MUST", "RSV1 on a frame that does not begin a message fails the connection", marked),
  row("6455", "5.2", "MUST", "The other reserved bits fail it, with compression too (RSV, a number)", others),
}

--------------------------------------------------------------------------------------------------
-- DEFLATE data: section 7.2

local FINAL = "\xF3\x48\xCD\xC9\xC9\x07\x00\x00"

-- Bytes that no compressor makes smaller.
local function noise(size, seed)
  local bytes, state = {}, seed
  for i = 1, size do
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    bytes[i] = string.char(state >> 16 & 0xFF)
  end
  return table.concat(bytes)
end

local MANY = ("x"):rep(30000)

local inflating = {
  title = "Compression: reading",
  row("7692", "7.2.3", "MUST", "The RFC's own examples are read", {
    reads("one frame", compressed("text", HELLO), { "text", "Hello" }),
    reads("two fragments", compressed("text", HELLO:sub(1, 3), { fin = false })
      .. frame("continuation", HELLO:sub(4)), { "text", "Hello" }),
    reads("a shared window", compressed("text", HELLO) .. compressed("text", "\xF2\x00\x11\x00\x00"),
      { "text", "Hello" }, { "text", "Hello" }),
    reads("a block that is not compressed", compressed("text", "\0\5\0\xFA\xFFHello\0"), { "text", "Hello" }),
    reads("a block with BFINAL", compressed("text", FINAL), { "text", "Hello" }),
    reads("two blocks", compressed("text", "\xF2\x48\x05\0\0\0\xFF\xFF\xCA\xC9\xC9\x07\0"), { "text", "Hello" }),
  }),
  row("7692", "7.2.2", "MUST", "Compressed messages are read, however they are cut", {
    reads("in fragments of a byte", bit_by_bit(HELLO), { "text", "Hello" }),
    reads("the first fragment empty", compressed("text", "", { fin = false })
      .. frame("continuation", HELLO), { "text", "Hello" }),
    reads("the last fragment empty", compressed("text", HELLO, { fin = false })
      .. frame("continuation", ""), { "text", "Hello" }),
    reads("a ping between fragments, in two windows", compressed("text", HELLO:sub(1, 3), { fin = false })
      .. frame("continuation", HELLO:sub(4, 5), { fin = false }) .. frame("continuation", HELLO:sub(6)),
      { "text", "Hello" }),
    over(PLAIN, {
      name = "a byte at a time",
      says = { compressed("text", HELLO) .. compressed("binary", "\xF2\x00\x11\x00\x00") },
      piece = 1,
      messages = { { "text", "Hello" }, { "binary", "Hello" } },
      echo = true,
    }),
    reads("plain messages between", compressed("text", HELLO) .. frame("text", "plain")
      .. compressed("text", "\xF2\x00\x11\x00\x00"), { "text", "Hello" }, { "text", "plain" }, { "text", "Hello" }),
    reads("blocks with BFINAL one after the other", compressed("text", FINAL):rep(3),
      { "text", "Hello" }, { "text", "Hello" }, { "text", "Hello" }),
    reads("empty", compressed("text", "\0") .. compressed("binary", "\0"), { "text", "" }, { "binary", "" }),
    reads("empty, by a block with BFINAL", compressed("text", "\3\0"), { "text", "" }),
    reads("a thousand times as large", compressed("binary", deflate.message(MANY, "", 1 << 15)),
      { "binary", MANY }),
  }),
}

-- The server may go back to the end of its window; the client must not go farther than to the end
-- of its own.
local function far_back(bits)
  local window = 1 << bits
  local data = noise(window, bits)
  local value = ("permessage-deflate; server_max_window_bits=%d"):format(bits)
  return over(value, {
    name = tostring(bits),
    says = { compressed("binary", deflate.stored(data))
      .. compressed("binary", deflate.match(200, window)) },
    messages = { { "binary", data }, { "binary", data:sub(1, 200) } },
  })
end

-- Noise that comes again somewhat behind the window: a client with a larger one would refer to it.
local function own_window(bits)
  local data = noise((1 << bits) + 40, bits):rep(2)
  local parameters = { client_max_window_bits = bits }
  return over(written(parameters), {
    name = tostring(bits),
    says = { frame("binary", data) },
    messages = { { "binary", data } },
    agreed = agreed_on(parameters),
    echo = true,
  })
end

local far, own = {}, {}
for bits = BITS_MIN, BITS_MAX do table.insert(far, far_back(bits)) end
for bits = BITS_MIN + 1, 13 do table.insert(own, own_window(bits)) end

local forgets = "permessage-deflate; server_no_context_takeover"
local small = "permessage-deflate; server_max_window_bits=8"

local windows = {
  title = "Compression: windows",
  row("7692", "7.1.2.1", "MUST", "The server's window is known to its far end: server_max_window_bits", far),
  row("7692", "7.1.2.2", "MUST", "The client does not refer beyond its own: client_max_window_bits", own),
}

-- 16 KiB of one letter, without an end, so that more may follow in the same message.
local LETTER = ("x"):rep(1 << 14)
local LETTERS = deflate.message(LETTER, "", 1 << 15) .. "\0\0\255\255"

local faults = {
  title = "Compression: what cannot be read",
  row("7692", "7.2.2", "MUST NOT be sent", "What is no DEFLATE data fails the connection", {
    fails("a reserved type of block", { 1007, 1002 }, compressed("text", "\x06")),
    fails("all bits set", { 1007, 1002 }, compressed("text", ("\xFF"):rep(10))),
    fails("the length of a plain block", { 1007, 1002 }, compressed("text", "\0\5\0\0\0Hello\0")),
    fails("a match before the beginning", { 1007, 1002 }, compressed("text", deflate.match(5, 9))),
    fails("behind a good message", { 1007, 1002 }, compressed("text", HELLO) .. compressed("text", "\x06"),
      { { "text", "Hello" } }),
    fails("in the second fragment", { 1007, 1002 }, compressed("text", HELLO:sub(1, 2), { fin = false })
      .. frame("continuation", ("\xFF"):rep(9))),
  }),
  row("7692", "7.2.2", "MUST NOT be sent", "A message that ends inside a block fails it", {
    fails("a fixed block", { 1007, 1002 }, compressed("text", HELLO:sub(1, 4))),
    fails("a plain block", { 1007, 1002 }, compressed("text", "\0\5\0\xFA\xFFHel")),
  }),
  row("7692", "7.1", "MUST NOT be sent", "A reference that the agreement excludes fails it", {
    fails("to the message before, with server_no_context_takeover", { 1007, 1002 },
      compressed("text", HELLO) .. compressed("text", "\xF2\x00\x11\x00\x00"), { { "text", "Hello" } }, forgets),
    fails("300 bytes back, with a window of 256", { 1007, 1002 },
      compressed("binary", deflate.stored(noise(600, 1))) .. compressed("binary", deflate.match(9, 300)),
      { { "binary", noise(600, 1) } }, small),
  }),
  row("6455", "8.1", "MUST", "Compressed text that is not UTF-8 fails it with 1007", {
    fails("in one frame", { 1007 }, compressed("text", deflate.stored "ok \xFF")),
    fails("a character that is cut", { 1007 }, compressed("text", deflate.stored "ok \xE2\x82")),
    fails("in fragments", { 1007 }, bit_by_bit(deflate.stored "\xED\xA0\x80")),
  }),
  row("6455", "10.4", "MUST", "More than the limit, here 16 MiB, fails it with 1009, compressed or not", {
    fails("17 MiB", { 1009 }, compressed("binary", LETTERS, { fin = false })
      .. frame("continuation", LETTERS, { fin = false }):rep(17 * 64) .. frame("continuation", "\0")),
  }),
}

return { negotiation, answers_refused, frames, inflating, windows, faults }
