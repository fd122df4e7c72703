-- DEFLATE (RFC 1951) written in plain Lua, apart from zlib: fixed Huffman codes and stored blocks,
-- with matches as far back as the window goes, so that a reader with a smaller one is found out.
-- Between two blocks the data ends as RFC 7692 section 7.2.1 wants it.

local deflate = {}

local LONGEST = 258 -- bytes of a match

-- Code, extra bits and their value for a length or a distance: section 3.2.5.
local function ladder(first_value, steps_of)
  local steps, value = {}, first_value
  for code, extra in ipairs(steps_of) do
    steps[code] = { value = value, extra = extra }
    value = value + (1 << extra)
  end
  return steps
end

local length_extras, distance_extras = {}, {}
for i = 0, 27 do length_extras[i + 1] = math.max(0, i // 4 - 1) end
for i = 0, 29 do distance_extras[i + 1] = math.max(0, i // 2 - 1) end
local LENGTHS, DISTANCES = ladder(3, length_extras), ladder(1, distance_extras)

local function step(steps, value)
  local code = #steps
  while steps[code].value > value do code = code - 1 end
  return code, steps[code].extra, value - steps[code].value
end

local function new_bits()
  local bytes, byte, used = {}, 0, 0
  local bits = {}

  function bits.put(value, count)
    for i = 0, count - 1 do
      byte, used = byte | (value >> i & 1) << used, used + 1
      if used == 8 then
        bytes[#bytes + 1], byte, used = string.char(byte), 0, 0
      end
    end
  end

  -- Huffman codes begin with their highest bit.
  function bits.code(value, count)
    for i = count - 1, 0, -1 do bits.put(value >> i & 1, 1) end
  end

  function bits.align()
    if used > 0 then bits.put(0, 8 - used) end
  end

  function bits.bytes() return table.concat(bytes) end

  return bits
end

-- The fixed code: section 3.2.6.
local function put_symbol(bits, symbol)
  if symbol < 144 then
    bits.code(0x30 + symbol, 8)
  elseif symbol < 256 then
    bits.code(0x190 + symbol - 144, 9)
  elseif symbol < 280 then
    bits.code(symbol - 256, 7)
  else
    bits.code(0xC0 + symbol - 280, 8)
  end
end

local function put_match(bits, length, distance)
  if length == LONGEST then
    put_symbol(bits, 285)
  else
    local code, extra, rest = step(LENGTHS, length)
    put_symbol(bits, 256 + code)
    bits.put(rest, extra)
  end
  local code, extra, rest = step(DISTANCES, distance)
  bits.code(code - 1, 5)
  bits.put(rest, extra)
end

-- The bytes before a position and those from it on agree for so long.
local function agreement(text, back, at)
  local length = 0
  while length < LONGEST and at + length <= #text
    and text:byte(back + length) == text:byte(at + length) do
    length = length + 1
  end
  return length
end

-- A block with the fixed code, of what write() puts.
local function fixed_block(write)
  local bits = new_bits()
  bits.put(0, 1)
  bits.put(1, 2)
  write(bits)
  put_symbol(bits, 256)
  return bits
end

-- Behind each message there is an empty stored block, whose last four bytes are left out.
local function finish(bits)
  bits.put(0, 3)
  bits.align()
  return bits.bytes()
end

-- Positions by the three bytes that begin there.
local function places_in(text)
  local places = {}
  for at = 1, #text - 2 do
    local three = text:sub(at, at + 2)
    places[three] = places[three] or {}
    table.insert(places[three], at)
  end
  return places
end

-- The farthest one before `at` that the window reaches.
local function farthest(places, at, window)
  for _, place in ipairs(places or {}) do
    if place >= at then return nil end
    if at - place <= window then return place end
  end
end

--- A message's payload. history: the messages that the reader remembers; window: how many bytes back
--- a match may begin.
function deflate.message(data, history, window)
  local text = history .. data
  local places = places_in(text)
  return finish(fixed_block(function(bits)
    local at = #history + 1
    while at <= #text do
      local back = farthest(places[text:sub(at, at + 2)], at, window)
      if back then
        local length = agreement(text, back, at)
        put_match(bits, length, at - back)
        at = at + length
      else
        put_symbol(bits, text:byte(at))
        at = at + 1
      end
    end
  end))
end

--- A message that repeats `length` bytes from `distance` bytes before its beginning.
function deflate.match(length, distance)
  return finish(fixed_block(function(bits) put_match(bits, length, distance) end))
end

--- A message of up to 65,535 bytes as it is.
function deflate.stored(data)
  return "\0" .. ("<I2I2"):pack(#data, ~#data & 0xFFFF) .. data .. "\0"
end

return deflate
