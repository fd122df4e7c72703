-- RFC 6455 section 8.1: text is UTF-8. cases.lua says what is in a case.

local row = require "conformance.row"
local wire = require "support.wire"

local frame = wire.frame

local GOOD = {
  { "U+0000 and U+007F", "\0\x7F" },
  { "U+0080 and U+07FF", "\xC2\x80\xDF\xBF" },
  { "U+0800 and U+FFFF", "\xE0\xA0\x80\xEF\xBF\xBF" },
  { "U+D7FF and U+E000", "\xED\x9F\xBF\xEE\x80\x80" },
  { "U+FEFF, U+FFFD, U+FFFE", "\xEF\xBB\xBF\xEF\xBF\xBD\xEF\xBF\xBE" },
  { "U+10000 and U+10FFFF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF" },
  { "U+3FFFF and U+40000", "\xF0\xBF\xBF\xBF\xF1\x80\x80\x80" },
  { "many scripts", "κόσμε Ünïcödé 世界 עולם 🌍" },
}

local BAD = {
  { "0x80", "\x80" },
  { "0xBF", "\xBF" },
  { "0xFE", "\xFE" },
  { "0xFF", "\xFF" },
  { "0xF5, over U+10FFFF", "\xF5\x80\x80\x80" },
  { "U+110000", "\xF4\x90\x80\x80" },
  { "five bytes", "\xF8\x88\x80\x80\x80" },
  { "six bytes", "\xFC\x84\x80\x80\x80\x80" },
  { "U+0000 in two bytes", "\xC0\x80" },
  { "U+007F in two bytes", "\xC1\xBF" },
  { "U+07FF in three bytes", "\xE0\x9F\xBF" },
  { "U+FFFF in four bytes", "\xF0\x8F\xBF\xBF" },
  { "U+D800", "\xED\xA0\x80" },
  { "U+DBFF", "\xED\xAF\xBF" },
  { "U+DC00", "\xED\xB0\x80" },
  { "U+DFFF", "\xED\xBF\xBF" },
  { "a pair of surrogates", "\xED\xA0\xBD\xED\xB8\x80" },
  { "one byte of two", "\xC3" },
  { "two bytes of three", "\xE2\x82" },
  { "three bytes of four", "\xF0\x9F\x98" },
  { "one byte of two, and a letter", "\xC3A" },
  { "two bytes of three, and a character", "\xE2\x82\xC3\xA9" },
  { "a character and a byte too many", "\xC3\xA9\x80" },
}

-- A fragment for each byte.
local function fragmented(text)
  local bytes = {}
  for i = 1, #text do
    bytes[i] = frame(i == 1 and "text" or "continuation", text:sub(i, i), { fin = i == #text })
  end
  return table.concat(bytes)
end

-- Two fragments, cut at each place, one message after the other.
local function cut_everywhere(text)
  local bytes, messages = {}, {}
  for at = 0, #text do
    bytes[#bytes + 1] = frame("text", text:sub(1, at), { fin = false })
    bytes[#bytes + 1] = frame("continuation", text:sub(at + 1))
    messages[#messages + 1] = { "text", text }
  end
  return table.concat(bytes), messages
end

local whole, in_fragments, slowly = {}, {}, {}
for _, one in ipairs(GOOD) do
  local name, text = "good: " .. one[1], one[2]
  local function case(bytes, messages, piece)
    return { name = name, says = { bytes }, messages = messages, piece = piece, echo = true }
  end
  table.insert(whole, case(frame("text", text), { { "text", text } }))
  table.insert(in_fragments, case(cut_everywhere(text)))
  table.insert(slowly, case(frame("text", text), { { "text", text } }, 1))
end

local bad_whole, bad_in_fragments, bad_slowly = {}, {}, {}
for _, one in ipairs(BAD) do
  local text = "ok " .. one[2]
  local function case(bytes, piece)
    return { name = one[1], says = { bytes }, piece = piece, fails = { 1007 } }
  end
  table.insert(bad_whole, case(frame("text", text)))
  table.insert(bad_in_fragments, case(fragmented(text)))
  table.insert(bad_slowly, case(frame("text", text), 1))
end

-- The rest of the message comes only if the client waits for it.
local function hopeless(name, first, rest)
  return {
    name = name,
    either = true,
    says = {
      first,
      function(line)
        line:hear(function() return false end, 0.3)
        line.record.early = line.record.closed or line.record.ended
      end,
      rest,
    },
    fails = { 1007 },
    outcome = function(record) return record.early and "at once" or "at the end of the message" end,
  }
end

return {
  {
    title = "Text is UTF-8",
    row("6455", "8.1", "MUST", "Text that is UTF-8 arrives in one frame, and goes back", whole),
    row("6455", "8.1", "MUST", "Such text arrives in two fragments, cut at every place", in_fragments),
    row("6455", "8.1", "MUST", "It arrives in reads of a byte", slowly),
    row("6455", "8.1", "MUST", "Text that is not UTF-8 fails the connection with 1007, in one frame", bad_whole),
    row("6455", "8.1", "MUST", "Such text fails it in fragments of a byte", bad_in_fragments),
    row("6455", "8.1", "MUST", "It fails it in reads of a byte", bad_slowly),
    row("6455", "8.1", "MUST", "Binary messages may be anything", {
      {
        name = "all of these",
        says = { frame("binary", "\xFF\xC0\x80\xED\xA0\x80") },
        messages = { { "binary", "\xFF\xC0\x80\xED\xA0\x80" } },
        echo = true,
      },
    }),
    row("6455", "8.1", "MAY", "Bad text fails the connection before its message has ended", {
      hopeless("in the first of two fragments", frame("text", "\xFF", { fin = false }),
        frame("continuation", "x")),
      hopeless("in a frame of which the rest is missing", frame("text", "\xFF" .. ("x"):rep(99)):sub(1, 50),
        ("x"):rep(52)),
    }),
  },
}
