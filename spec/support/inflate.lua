-- DEFLATE (RFC 1951) read in plain Lua, apart from zlib and strictly: what an end of a connection
-- may rely on, and no more.

local function lengths_and_distances()
  local lengths, distances, length, distance = {}, {}, 3, 1
  for i = 0, 27 do
    local extra = math.max(0, i // 4 - 1)
    lengths[257 + i] = { length, extra }
    length = length + (1 << extra)
  end
  lengths[285] = { 258, 0 }
  for i = 0, 29 do
    local extra = math.max(0, i // 2 - 1)
    distances[i] = { distance, extra }
    distance = distance + (1 << extra)
  end
  return lengths, distances
end

local LENGTHS, DISTANCES = lengths_and_distances()
local CODE_ORDER = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 }

-- Section 3.2.2: from the length of each symbol's code (symbols from 0) to code -> symbol, where a
-- code has a 1 in front, so that its length shows.
local function huffman(sizes)
  local codes, code = {}, 0
  for size = 1, 15 do
    for symbol = 0, #sizes - 1 do
      if sizes[symbol + 1] == size then
        codes[1 << size | code] = symbol
        code = code + 1
      end
    end
    code = code << 1
  end
  return codes
end

local function fixed()
  local sizes = {}
  for symbol = 0, 287 do
    sizes[symbol + 1] = symbol < 144 and 8 or symbol < 256 and 9 or symbol < 280 and 7 or 8
  end
  local distances = {}
  for symbol = 0, 29 do
    distances[symbol + 1] = 5
  end
  return huffman(sizes), huffman(distances)
end

--- The text of DEFLATE data that ends between two blocks. history: what was before it; window: how
--- many bytes back it may refer. The second result counts blocks with BFINAL, behind each of which
--- data goes on with the next byte. Raises when the data is not as it must be.
return function(data, history, window)
  local bit, last = 0, #data * 8
  local out = {}
  for i = 1, #history do
    out[i] = history:sub(i, i)
  end

  local function bits(count)
    local value = 0
    for i = 0, count - 1 do
      assert(bit < last, "the data ends inside a block")
      value = value | (data:byte((bit >> 3) + 1) >> (bit & 7) & 1) << i
      bit = bit + 1
    end
    return value
  end

  local function symbol(codes)
    local code = 1
    repeat
      code = code << 1 | bits(1)
      assert(code < 1 << 16, "no such code")
    until codes[code]
    return codes[code]
  end

  local function stored()
    bit = (bit + 7) & ~7
    local size = bits(16)
    assert(bits(16) == ~size & 0xFFFF, "a stored block's length is broken")
    for _ = 1, size do
      out[#out + 1] = string.char(bits(8))
    end
  end

  local function dynamic()
    local literals, distances, sizes = bits(5) + 257, bits(5) + 1, {}
    local code_sizes = {}
    for i = 1, 19 do
      code_sizes[i] = 0
    end
    for i = 1, bits(4) + 4 do
      code_sizes[CODE_ORDER[i] + 1] = bits(3)
    end
    local codes = huffman(code_sizes)
    while #sizes < literals + distances do
      local size, times = symbol(codes), 1
      if size == 16 then
        size, times = sizes[#sizes], 3 + bits(2)
      elseif size > 16 then
        size, times = 0, size == 17 and 3 + bits(3) or 11 + bits(7)
      end
      for _ = 1, times do
        sizes[#sizes + 1] = size
      end
    end
    assert(#sizes == literals + distances, "too many code lengths")
    return huffman(table.move(sizes, 1, literals, 1, {})),
      huffman(table.move(sizes, literals + 1, #sizes, 1, {}))
  end

  local function compressed(literals, distances)
    while true do
      local value = symbol(literals)
      if value == 256 then
        return
      elseif value < 256 then
        out[#out + 1] = string.char(value)
      else
        local length = LENGTHS[value][1] + bits(LENGTHS[value][2])
        local code = DISTANCES[symbol(distances)]
        local distance = code[1] + bits(code[2])
        assert(distance <= window, "a distance that the window does not allow")
        assert(distance <= #out, "a distance from before the beginning")
        for _ = 1, length do
          out[#out + 1] = out[#out - distance + 1]
        end
      end
    end
  end

  local finals = 0
  while bit < last do
    local final, type = bits(1), bits(2)
    if type == 0 then
      stored()
    elseif type == 1 then
      compressed(fixed())
    else
      assert(type == 2, "no such block type")
      compressed(dynamic())
    end
    if final == 1 then
      finals = finals + 1
      bit = (bit + 7) & ~7
    end
  end
  return table.concat(out, "", #history + 1), finals
end
