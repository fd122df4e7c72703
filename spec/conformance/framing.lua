-- RFC 6455 section 5 and 10.4: frames. cases.lua says what is in a case.

local Peer = require "support.peer"
local row = require "conformance.row"
local wire = require "support.wire"

local frame = wire.frame

local function filler(size)
  return ("0123456789abcdef"):rep(size // 16 + 1):sub(1, size)
end

local function begin(kind, data, options)
  options = options or {}
  options.fin = false
  return frame(kind, data, options)
end

local function go_on(data) return frame("continuation", data, { fin = false }) end

local function finish(data) return frame("continuation", data) end

-- A case that fails the connection with 1002, behind a message that is good.
local function breaks(name, ...)
  return {
    name = name,
    says = { frame("text", "before") .. table.concat { ... } },
    messages = { { "text", "before" } },
    fails = { 1002 },
  }
end

--------------------------------------------------------------------------------------------------
-- 5.1 and 5.3: masks

local KEY = "\x12\x34\x56\x78"
local masked = {}
for _, kind in ipairs { "text", "binary", "ping", "pong", "close" } do
  local payload = kind == "close" and wire.reason(1000) or "masked"
  masked[#masked + 1] = breaks(kind, Peer.encode(kind, payload, { mask = KEY }))
end
table.insert(masked, breaks("an empty text", Peer.encode("text", "", { mask = KEY })))
table.insert(masked, breaks("a key of zeros", Peer.encode("text", "masked", { mask = "\0\0\0\0" })))
table.insert(masked, breaks("the second fragment", begin("text", "a"),
  Peer.encode("continuation", "b", { mask = KEY })))

local KEYS = 4096

-- How far the bytes are from evenly spread: about 255, with a deviation of 23, where they are.
local function unevenness(keys, position)
  local counts = {}
  for value = 0, 255 do counts[value] = 0 end
  for _, key in ipairs(keys) do
    local value = key:byte(position)
    counts[value] = counts[value] + 1
  end
  local expected, sum = #keys / 256, 0
  for value = 0, 255 do sum = sum + (counts[value] - expected) ^ 2 / expected end
  return sum
end

local function keys_of(record)
  local keys = {}
  for _, sent in ipairs(record.frames) do
    if sent.opcode < 8 then keys[#keys + 1] = sent.key or "none" end
  end
  return keys
end

-- Each key beside the one before it: a counter, or a multiple, would show here.
local function steps(keys)
  local list = {}
  for i = 2, #keys do
    list[i - 1] = (">I4"):pack((">I4"):unpack(keys[i]) ~ (">I4"):unpack(keys[i - 1]))
  end
  return list
end

-- One pair in 4,096 keys is alike by chance once in 500 runs, two pairs are once in 500,000.
local function check_keys(record)
  local keys, seen, repeated = keys_of(record), {}, 0
  if #keys ~= KEYS then return ("%d keys"):format(#keys) end
  for _, key in ipairs(keys) do
    repeated = repeated + (seen[key] and 1 or 0)
    seen[key] = true
  end
  if repeated > 1 then return ("%d keys twice"):format(repeated) end
  for position = 1, 4 do
    for _, list in ipairs { keys, steps(keys) } do
      local value = unevenness(list, position)
      if value > 440 or value < 120 then return ("keys that can be predicted (%.0f)"):format(value) end
    end
  end
end

local many = {}
for number = 1, KEYS do many[number] = { "text", tostring(number) } end
local many_frames = {}
for number, message in ipairs(many) do many_frames[number] = frame("text", message[2]) end

local masks = {
  title = "Masks",
  row("6455", "5.1", "MUST", "A masked frame closes the connection, with 1002 (MAY)", masked),
  row("6455", "5.3", "MUST", "Every frame of the client is masked, with a new key that none before it tells", {
    {
      name = "4,096 messages",
      says = { table.concat(many_frames) },
      messages = many,
      echo = true,
      check = check_keys,
    },
  }),
}

--------------------------------------------------------------------------------------------------
-- 5.2: the header

local reserved_bits = {}
for _, kind in ipairs { "text", "binary", "ping", "pong", "close" } do
  for bits = 1, 7 do
    reserved_bits[#reserved_bits + 1] = breaks(("%s %d"):format(kind, bits),
      frame(kind, kind == "close" and wire.reason(1000) or "x", { rsv = bits << 4 }))
  end
end
for bits = 1, 7 do
  reserved_bits[#reserved_bits + 1] = breaks(("continuation %d"):format(bits), begin("text", "a"),
    frame("continuation", "b", { rsv = bits << 4 }))
end

local reserved_opcodes = {}
for _, opcode in ipairs { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
  local name = ("0x%X"):format(opcode)
  table.insert(reserved_opcodes, breaks(name, frame(opcode, "")))
  table.insert(reserved_opcodes, breaks(name .. " with a payload", frame(opcode, "payload")))
  table.insert(reserved_opcodes, breaks(name .. " in a message", begin("text", "a"), frame(opcode, "x")))
end

local lengths = {}
for _, size in ipairs { 0, 1, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537 } do
  for _, kind in ipairs { "text", "binary" } do
    lengths[#lengths + 1] = {
      name = ("%s, %d"):format(kind, size),
      says = { frame(kind, filler(size)) },
      messages = { { kind, filler(size) } },
      echo = true,
    }
  end
end

local slow_lengths = {}
for _, size in ipairs { 0, 125, 126, 300 } do
  slow_lengths[#slow_lengths + 1] = {
    name = tostring(size),
    says = { frame("binary", filler(size)) },
    piece = 1,
    messages = { { "binary", filler(size) } },
    echo = true,
  }
end
table.insert(slow_lengths, {
  name = "65,536 in pieces of 1,000 bytes",
  says = { frame("binary", filler(65536)) },
  piece = 1000,
  messages = { { "binary", filler(65536) } },
  echo = true,
})

local not_shortest = {}
for _, one in ipairs { { 2, 0 }, { 2, 1 }, { 2, 125 }, { 8, 0 }, { 8, 125 }, { 8, 126 }, { 8, 65535 } } do
  local form, size = table.unpack(one)
  for _, kind in ipairs { "text", "binary" } do
    not_shortest[#not_shortest + 1] = breaks(("%s, %d in %d bytes"):format(kind, size, form),
      frame(kind, filler(size), { form = form }))
  end
end

for _, kind in ipairs { "ping", "pong", "close" } do
  not_shortest[#not_shortest + 1] = breaks(kind .. ", 5 in 2 bytes",
    frame(kind, wire.reason(1000, "abc"), { form = 2 }))
end

local function top_bit(name, kind, length)
  return breaks(name, frame(kind, "", { form = 8, length = length }))
end

local header = {
  title = "Frame headers",
  row("6455", "5.2", "MUST", "A reserved bit without an extension fails the connection (RSV, a number)", reserved_bits),
  row("6455", "5.2", "MUST", "A reserved opcode fails it", reserved_opcodes),
  row("6455", "5.2", "MUST", "Lengths of 7, 16 and 64 bits are read, and are written in the shortest form", lengths),
  row("6455", "5.2", "MUST", "Headers and payloads that come a byte at a time are read", slow_lengths),
  row("6455", "5.2", "MUST NOT be sent", "A length that is not in its shortest form fails it", not_shortest),
  row("6455", "5.2", "MUST NOT be sent", "A length of 64 bits with the top bit set fails it", {
    top_bit("the lowest", "binary", math.mininteger),
    top_bit("the highest", "binary", -1),
    top_bit("the top bit and 1,000", "text", math.mininteger + 1000),
  }),
}

--------------------------------------------------------------------------------------------------
-- 5.4: fragments

local function fragments(name, kind, parts, options)
  options = options or {}
  local bytes = {}
  for i, part in ipairs(parts) do
    local fin = i == #parts
    bytes[#bytes + 1] = frame(i == 1 and kind or "continuation", part, { fin = fin })
    if options.between and not fin then bytes[#bytes + 1] = options.between end
  end
  return {
    name = name,
    says = { table.concat(bytes) },
    piece = options.piece,
    messages = { { kind, table.concat(parts) } },
    pongs = options.pongs,
    echo = true,
  }
end

local thousand = {}
for number = 1, 1000 do thousand[number] = ("%d,"):format(number) end
local letters = {}
for letter in ("fragments of a byte"):gmatch "." do letters[#letters + 1] = letter end

local many_pongs = {}
for i = 1, #letters - 1 do many_pongs[i] = "p" end

local answered_between = {
  name = "before the message has ended",
  says = {
    begin("text", "one ") .. frame("ping", "here?"),
    function(line)
      line.record.answered = line:hear(function(frames) return #frames > 0 end)
    end,
    finish "two",
  },
  messages = { { "text", "one two" } },
  pongs = { "here?" },
  check = function(record) return not record.answered and "only when the message has ended" or nil end,
}

local fragmentation = {
  title = "Fragments",
  row("6455", "5.4", "MUST", "A message in fragments is put together", {
    fragments("two, text", "text", { "frag", "ments" }),
    fragments("two, binary", "binary", { "\0\1", "\254\255" }),
    fragments("of one byte each", "text", letters),
    fragments("the first empty", "text", { "", "text" }),
    fragments("the last empty", "text", { "text", "" }),
    fragments("one in the middle empty", "text", { "te", "", "xt" }),
    fragments("all empty", "text", { "", "", "" }),
    fragments("all empty, binary", "binary", { "", "" }),
    fragments("1,000", "text", thousand),
    fragments("of 125, 126, 65,535 and 65,536 bytes", "binary",
      { filler(125), filler(126), filler(65535), filler(65536) }),
    fragments("a byte at a time", "text", { "one ", "two ", "three" }, { piece = 1 }),
  }),
  row("6455", "5.4", "MUST", "Control frames between the fragments are handled", {
    fragments("a ping", "text", { "one ", "two" }, { between = frame("ping", "p"), pongs = { "p" } }),
    fragments("a ping between any two", "text", letters, { between = frame("ping", "p"), pongs = many_pongs }),
    fragments("an empty ping", "binary", { "one ", "two" }, { between = frame("ping", ""), pongs = { "" } }),
    fragments("a pong that nobody asked for", "text", { "one ", "two" }, { between = frame("pong", "p") }),
    fragments("a ping, a byte at a time", "text", { "one ", "two" },
      { between = frame("ping", "p"), pongs = { "p" }, piece = 1 }),
    answered_between,
    {
      name = "a close frame, which ends it all",
      says = { begin("text", "never whole") .. frame("close", wire.reason(1001, "bye")) },
      ends = "wait",
      told = { 1001, "bye" },
    },
  }),
  row("6455", "5.4", "MUST NOT be sent", "A continuation where no message is under way fails the connection", {
    breaks("at first", finish "x"),
    breaks("an empty one", finish ""),
    breaks("without FIN", go_on "x"),
    breaks("behind a whole message", finish "x", frame("text", "y")),
    {
      name = "behind a message in fragments",
      says = { begin("text", "a") .. finish "b" .. finish "c" },
      messages = { { "text", "ab" } },
      fails = { 1002 },
    },
  }),
  row("6455", "5.4", "MUST NOT be sent", "A message inside a fragmented one fails it", {
    breaks("text in text", begin("text", "a"), frame("text", "b")),
    breaks("binary in text", begin("text", "a"), frame("binary", "b")),
    breaks("text in binary", begin("binary", "a"), frame("text", "b")),
    breaks("a fragment in text", begin("text", "a"), begin("text", "b")),
    breaks("behind two fragments", begin("text", "a"), go_on "b", frame("text", "c")),
    breaks("behind a ping", begin("text", "a"), frame("ping", ""), frame("text", "b")),
  }),
}

--------------------------------------------------------------------------------------------------
-- 5.5: control frames

local long, fragmented = {}, {}
for _, kind in ipairs { "ping", "pong", "close" } do
  local data = kind == "close" and wire.reason(1000, filler(124)) or filler(126)
  table.insert(long, breaks(("%s of 126 bytes"):format(kind), frame(kind, data)))
  table.insert(long, breaks(("%s of 65,536 bytes"):format(kind), frame(kind, filler(65536))))
  local payload = kind == "close" and wire.reason(1000) or "x"
  table.insert(fragmented, breaks(kind, begin(kind, payload), finish ""))
  table.insert(fragmented, breaks(kind .. " in a message", begin("text", "a"), begin(kind, payload), finish "b"))
end

local function pinged(name, payloads, options)
  local bytes = {}
  for i, payload in ipairs(payloads) do bytes[i] = frame("ping", payload) end
  options = options or {}
  return {
    name = name,
    says = { table.concat(bytes) .. (options.behind or "") },
    piece = options.piece,
    messages = options.messages,
    pongs = payloads,
  }
end

local function numbered(count)
  local list = {}
  for number = 1, count do list[number] = "ping " .. number end
  return list
end

local every_byte = {}
for byte = 0, 255 do every_byte[byte + 1] = string.char(byte) end
every_byte = table.concat(every_byte)

-- The server asks once the client has said goodbye.
local asked_after_close = {
  name = "a ping behind the client's own close frame",
  says = {
    frame("text", "close now"),
    function(line)
      line:hear(function() return false end)
      line:send(frame("ping", "still there?"))
      line.record.closed = false
      line:hear(function(frames) return frames[#frames].opcode == 10 end, 0.5)
      line.record.closed = true
      line:send(frame("close", wire.reason(4001)))
    end,
  },
  ends = "wait",
  closes = { 4001, "" },
  messages = { { "text", "close now" } },
  pongs = { "still there?" },
  told = { 4001, "" },
}

local control = {
  title = "Pings, pongs and other control frames",
  row("6455", "5.5", "MUST NOT be sent", "A control frame of more than 125 bytes fails the connection", long),
  row("6455", "5.5", "MUST NOT be sent", "A control frame in fragments fails it", fragmented),
  row("6455", "5.5.2", "MUST", "A ping is answered with its payload", {
    pinged("empty", { "" }),
    pinged("one byte", { "x" }),
    pinged("125 bytes", { filler(125) }),
    pinged("bytes that are no text", { every_byte:sub(1, 125) }),
    pinged("the other bytes", { every_byte:sub(126, 250) }),
    pinged("a byte at a time", { "slow" }, { piece = 1 }),
    pinged("before a message in the same segment", { "first" },
      { behind = frame("text", "second"), messages = { { "text", "second" } } }),
    asked_after_close,
  }),
  row("6455", "5.5.3", "MUST", "Of a burst of pings the last one is answered at least, in order", {
    pinged("10", numbered(10)),
    pinged("50", numbered(50)),
    pinged("1,000", numbered(1000)),
    pinged("1,000 of 125 bytes", (function()
      local list = {}
      for number = 1, 1000 do list[number] = ("%5d"):format(number):rep(25) end
      return list
    end)()),
  }),
  row("6455", "5.5.3", "MAY", "A pong that nobody asked for does no harm", {
    { name = "empty", says = { frame("pong", "") } },
    { name = "with a payload", says = { frame("pong", "unasked") } },
    { name = "many", says = { frame("pong", "unasked"):rep(100) } },
    {
      name = "and a ping behind it",
      says = { frame("pong", "unasked") .. frame("ping", "asked") },
      pongs = { "asked" },
    },
  }),
}

--------------------------------------------------------------------------------------------------
-- 5.6 and 10.4: data

local MEGABYTE = 1 << 20

local data = {
  title = "Messages",
  row("6455", "5.6", "MUST", "Text and binary messages arrive as what they are, in order", {
    {
      name = "one of each",
      says = { frame("text", "t") .. frame("binary", "b") .. frame("text", "") .. frame("binary", "") },
      messages = { { "text", "t" }, { "binary", "b" }, { "text", "" }, { "binary", "" } },
      echo = true,
    },
    {
      name = "every byte",
      says = { frame("binary", every_byte) },
      messages = { { "binary", every_byte } },
      echo = true,
    },
    {
      name = "every character of a byte",
      says = { frame("text", every_byte:sub(1, 128)) },
      messages = { { "text", every_byte:sub(1, 128) } },
      echo = true,
    },
    {
      name = "1,000 of them",
      says = { table.concat(many_frames, "", 1, 1000) },
      messages = table.move(many, 1, 1000, 1, {}),
      echo = true,
    },
  }),
  row("6455", "5.6", "MUST", "16 MiB arrive, where they are allowed, and go back", {
    {
      name = "in one frame",
      says = { frame("binary", filler(16 * MEGABYTE)) },
      messages = { { "binary", filler(16 * MEGABYTE) } },
      echo = true,
    },
  }),
  row("6455", "10.4", "MUST", "A message over the limit, here 16 MiB, fails the connection with 1009", {
    {
      name = "by what the header announces",
      says = { frame("binary", "", { form = 8, length = 16 * MEGABYTE + 1 }) },
      fails = { 1009 },
    },
    {
      name = "by nearly all that a length can say",
      says = { frame("binary", "", { form = 8, length = math.maxinteger }) },
      fails = { 1009 },
    },
    {
      name = "by two fragments",
      says = { begin("binary", "x") .. frame("continuation", "", { form = 8, length = 16 * MEGABYTE }) },
      fails = { 1009 },
    },
  }),
}

return { masks, header, fragmentation, control, data }
