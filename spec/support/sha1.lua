-- SHA-1 (FIPS 180-4), for Sec-WebSocket-Accept only. Returns the digest as 20 bytes.

local function rotate(word, bits)
  return (word << bits | word >> (32 - bits)) & 0xFFFFFFFF
end

-- The message, a 1 bit, zeros up to 8 bytes before the end of a block, its length in bits.
local function pad(message)
  return message .. "\x80" .. ("\0"):rep(-(#message + 9) % 64) .. (">I8"):pack(#message * 8)
end

local function schedule(block)
  local w = { (">" .. ("I4"):rep(16)):unpack(block) }
  for t = 17, 80 do
    w[t] = rotate(w[t - 3] ~ w[t - 8] ~ w[t - 14] ~ w[t - 16], 1)
  end
  return w
end

local function round(t, b, c, d)
  if t <= 20 then return b & c | ~b & d, 0x5A827999 end
  if t <= 40 then return b ~ c ~ d, 0x6ED9EBA1 end
  if t <= 60 then return b & c | b & d | c & d, 0x8F1BBCDC end
  return b ~ c ~ d, 0xCA62C1D6
end

local function digest_block(h, block)
  local w = schedule(block)
  local a, b, c, d, e = table.unpack(h)
  for t = 1, 80 do
    local f, k = round(t, b, c, d)
    local sum = (rotate(a, 5) + (f & 0xFFFFFFFF) + e + k + w[t]) & 0xFFFFFFFF
    a, b, c, d, e = sum, a, rotate(b, 30), c, d
  end
  for i, word in ipairs { a, b, c, d, e } do h[i] = (h[i] + word) & 0xFFFFFFFF end
end

return function(message)
  local h = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 }
  local padded = pad(message)
  for at = 1, #padded, 64 do
    digest_block(h, padded:sub(at, at + 63))
  end
  return (">I4I4I4I4I4"):pack(table.unpack(h))
end
