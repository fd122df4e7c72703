local chance = require "support.chance"
local wire = require "support.wire"
local core = require("core_binding").frame

local KEY = "\x12\x34\x56\x78"

describe("a frame's header", function()
  it("has the shortest form of the length", function()
    local forms = {
      [0] = "\x80", [1] = "\x81", [125] = "\xFD",
      [126] = "\xFE\0\x7E", [65535] = "\xFE\xFF\xFF",
      [65536] = "\xFF\0\0\0\0\0\1\0\0", [0x123456789A] = "\xFF\0\0\0\x12\x34\x56\x78\x9A",
      [math.maxinteger] = "\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    }
    for size, form in pairs(forms) do
      assert.equal("\x82" .. form .. KEY, core.header(0x82, size, KEY))
    end
  end)

  it("begins with the byte that is given for FIN, RSV bits and opcode", function()
    for first = 0, 255 do
      assert.equal(first, core.header(first, 5, KEY):byte(1))
    end
  end)
end)

describe("masking", function()
  it("gives the example of RFC 6455 section 5.7", function()
    assert.equal("\x7f\x9f\x4d\x51\x58", core.mask("Hello", "\x37\xfa\x21\x3d"))
  end)

  it("agrees with the rule of section 5.3 for every small size and offset", chance(function()
    for size = 0, 80 do
      for offset = 0, 9 do
        local payload, key = chance.bytes(size), chance.bytes(4)
        assert.equal(wire.mask(payload, key, offset), core.mask(payload, key, offset))
      end
    end
  end))

  it("gives the same bytes in pieces as in one go", chance(function()
    for _ = 1, 200 do
      local payload, key = chance.bytes(math.random(0, 500)), chance.bytes(4)
      local pieces, at = {}, 0
      while at < #payload do
        local size = math.random(1, 70)
        pieces[#pieces + 1] = core.mask(payload:sub(at + 1, at + size), key, at)
        at = at + size
      end
      assert.equal(core.mask(payload, key), table.concat(pieces))
    end
  end))

  it("is undone by masking again", chance(function()
    local payload, key = chance.bytes(100003), chance.bytes(4)
    assert.equal(payload, core.mask(core.mask(payload, key), key))
  end))
end)
