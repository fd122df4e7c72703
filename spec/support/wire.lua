-- RFC 6455 frames in plain Lua, apart from the core: what a server sends, and a reading of what a
-- client sends.

local wire = {}

wire.opcodes = { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 }

--- A server's frame. options: fin (default true), rsv (bits 0x70), form (length bytes: 0, 2 or 8),
--- masked, length (what to announce instead of the payload's size).
function wire.frame(kind, payload, options)
  options = options or {}
  local length = options.length or #payload
  local form = options.form or (length < 126 and 0 or length < 65536 and 2 or 8)
  local fin = options.fin == false and 0 or 0x80
  local first = fin | (options.rsv or 0) | (wire.opcodes[kind] or kind)
  local mask = options.masked and 0x80 or 0
  if form == 0 then
    return string.pack(">BB", first, mask | length) .. payload
  elseif form == 2 then
    return string.pack(">BBI2", first, mask | 126, length) .. payload
  end
  return string.pack(">BBi8", first, mask | 127, length) .. payload
end

--- Fragments: one in the middle of a message, and its last.
function wire.more(payload)
  return wire.frame("continuation", payload, { fin = false })
end

function wire.finish(payload)
  return wire.frame("continuation", payload)
end

--- A close frame's payload.
function wire.reason(code, text)
  return string.pack(">I2", code) .. (text or "")
end

--- Section 5.3, a byte at a time.
function wire.mask(payload, key, offset)
  local out = {}
  for i = 1, #payload do
    local j = ((offset or 0) + i - 1) % 4 + 1
    out[i] = string.char(payload:byte(i) ~ key:byte(j))
  end
  return table.concat(out)
end

--- What a client sent, as a list of { kind, payload, key, compressed }, and the position behind the
--- last whole frame. Raises when the client breaks a rule; deflate: RSV1 is allowed.
function wire.read(bytes, deflate)
  local frames, position = {}, 1
  while #bytes - position >= 1 do
    local first, second, at = string.unpack(">BB", bytes, position)
    assert(first & (deflate and 0x30 or 0x70) == 0, "RSV bits from the client")
    assert(second & 0x80 ~= 0, "a client's frame without a mask")
    local length = second & 0x7F
    if length == 126 then
      length, at = string.unpack(">I2", bytes, at)
      assert(length > 125, "a length that is not in its shortest form")
    elseif length == 127 then
      length, at = string.unpack(">i8", bytes, at)
      assert(length > 65535, "a length that is not in its shortest form")
    end
    if at + 4 + length > #bytes + 1 then
      break
    end
    local key = bytes:sub(at, at + 3)
    local kind
    for name, opcode in pairs(wire.opcodes) do
      kind = opcode == first & 0x0F and name or kind
    end
    assert(kind and first & 0x80 ~= 0, "an opcode or a fragment that the client does not send")
    frames[#frames + 1] = { kind, wire.mask(bytes:sub(at + 4, at + 3 + length), key), key }
    frames[#frames][4] = deflate and first & 0x40 ~= 0 or nil
    position = at + 4 + length
  end
  return frames, position
end

return wire
