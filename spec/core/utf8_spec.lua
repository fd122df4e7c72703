local chance = require "support.chance"
local core = require("core_binding").utf8

-- Strict: no surrogates, nothing over U+10FFFF, no overlong forms.
local function reference(text)
  return utf8.len(text) ~= nil
end

-- Whether some continuation makes the text valid. What decides is whether the character that is cut
-- at its end can be completed, so the lowest and the highest continuation bytes are enough.
local function viable(text)
  for count = 0, 3 do
    if reference(text .. ("\x80"):rep(count)) or reference(text .. ("\xBF"):rep(count)) then
      return true
    end
  end
  return false
end

local boundaries = {
  "", "\0", "\x7F", "\x80", "\xBF",
  "\xC0\x80", "\xC1\xBF", "\xC2\x80", "\xDF\xBF", "\xC2", "\xC2\x7F", "\xC2\xC0",
  "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE0\xA0\x80", "\xE0\xA0", "\xE0\xA0\x7F",
  "\xE1\x80\x80", "\xEC\xBF\xBF", "\xED\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
  "\xEE\x80\x80", "\xEF\xBF\xBF", "\xEF\xBF", "\xE1\x80\xC0",
  "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80\x80", "\xF0\x90\x80", "\xF1\x80\x80\x80",
  "\xF3\xBF\xBF\xBF", "\xF4\x80\x80\x80", "\xF4\x8F\xBF\xBF", "\xF4\x90\x80\x80",
  "\xF5\x80\x80\x80",
  "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\xED\xA0\x80\xED\xB0\x80",
  "κόσμε", "日本語", "🙂🙂",
  "plain ASCII, and long enough for more than one block of the fast path",
}

local ranges = {
  { 0, 0x7F }, { 0x80, 0x7FF }, { 0x800, 0xD7FF }, { 0xE000, 0xFFFF }, { 0x10000, 0x10FFFF },
}

local function random_character()
  return utf8.char(math.random(table.unpack(ranges[math.random(#ranges)])))
end

-- Mostly valid; runs of ASCII, so that the fast path is entered and left at each offset.
local function random_text()
  local parts = {}
  for i = 1, math.random(0, 12) do
    parts[i] = math.random(3) == 1 and ("x"):rep(math.random(0, 40)) or random_character()
  end
  local text = table.concat(parts)
  if #text > 0 and math.random(2) == 1 then
    local at = math.random(#text)
    local byte = string.char(math.random(0, 255))
    text = text:sub(1, at - 1) .. (math.random(3) == 1 and "" or byte) .. text:sub(at + 1)
  end
  return text
end

local function feed_in_pieces(text, ...)
  local checker, from = core.new(), 1
  for _, cut in ipairs { ... } do
    checker:feed(text:sub(from, cut))
    from = cut + 1
  end
  return checker:feed(text:sub(from)) and checker:complete()
end

describe("the UTF-8 check", function()
  it("agrees with utf8.len on every text of one and two bytes", function()
    for a = 0, 255 do
      assert(core.valid(string.char(a)) == reference(string.char(a)))
      for b = 0, 255 do
        local text = string.char(a, b)
        assert(core.valid(text) == reference(text), ("%02X %02X"):format(a, b))
      end
    end
  end)

  it("agrees on the first and last code points of each length, wherever they stand", function()
    for _, text in ipairs(boundaries) do
      for before = 0, 40 do
        local whole = ("a"):rep(before) .. text .. ("b"):rep(40 - before)
        assert.equal(reference(whole), core.valid(whole), ("%q"):format(whole))
      end
    end
  end)

  it("does not join the parts of a character over a block of ASCII", function()
    for before = 0, 32 do
      for _, ascii in ipairs { 8, 16, 32, 64 } do
        assert.False(core.valid(("a"):rep(before) .. "\xC3" .. ("b"):rep(ascii) .. "\xBC"))
      end
    end
  end)

  it("takes every code point but the surrogates", function()
    for code = 0, 0x110FFF do
      local text = utf8.char(code)
      assert(core.valid(text) == ((code < 0xD800 or code > 0xDFFF) and code <= 0x10FFFF), code)
    end
  end)

  it("gives the same answer however the text is cut in two", function()
    for _, text in ipairs(boundaries) do
      for cut = 0, #text do
        assert(reference(text) == feed_in_pieces(text, cut), ("%q cut at %d"):format(text, cut))
      end
    end
  end)

  it("agrees on random texts, whole, cut at each place and cut in three", chance(function()
    for _ = 1, 400 do
      local text = random_text()
      local expected = reference(text)
      assert.equal(expected, core.valid(text), ("%q"):format(text))
      for cut = 0, #text do
        local second = math.random(cut, #text)
        local where = ("%q cut at %d, %d"):format(text, cut, second)
        assert(expected == feed_in_pieces(text, cut), where)
        assert(expected == feed_in_pieces(text, cut, second), where)
      end
    end
  end))

  it("agrees on random bytes", chance(function()
    local bytes = { "a", "\x80", "\x8F", "\x90", "\x9F", "\xA0", "\xBF", "\xC1", "\xC2", "\xE0",
      "\xE1", "\xED", "\xEF", "\xF0", "\xF1", "\xF4", "\xF5" }
    for _ = 1, 20000 do
      local parts = {}
      for i = 1, math.random(6) do
        parts[i] = bytes[math.random(#bytes)]
      end
      local text = table.concat(parts)
      assert(core.valid(text) == reference(text), ("%q"):format(text))
    end
  end))

  it("fails at the first byte after which no text can be valid, and stays failed", chance(function()
    local texts = { table.unpack(boundaries) }
    for _ = 1, 300 do
      texts[#texts + 1] = random_text()
    end
    for _, text in ipairs(texts) do
      local checker, failed = core.new(), false
      for i = 1, #text do
        failed = failed or not viable(text:sub(1, i))
        assert(checker:feed(text:sub(i, i)) == not failed, ("%q at %d"):format(text, i))
      end
      assert.equal(not failed, checker:feed "")
      if failed then
        assert.False(checker:feed "a")
        assert.False(checker:complete())
      end
    end
  end))

  it("knows whether the text ends at the end of a character", function()
    local checker = core.new()
    assert.True(checker:complete())
    for i, complete in ipairs { false, false, false, true } do
      assert.True(checker:feed(("🙂"):sub(i, i)))
      assert.equal(complete, checker:complete())
    end
  end)
end)
