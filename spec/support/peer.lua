-- A scripted server in the thread of the client under test: every wait turns the client's loop.
-- It says exactly the bytes it is told to, so it can misbehave in any way.

local mime = require "mime"
local sha1 = require "support.sha1"
local socket = require "socket"
local ssl = require "ssl"
local turn = require "support.turn"

local Peer = {}

local GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
local OPCODE = { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA }
Peer.OPCODE = OPCODE

local READ_SIZE = 256 * 1024

local servers = {} -- all that close_all has to close

--------------------------------------------------------------------------------------------------
-- Frames, RFC 6455 section 5.2

local function mask(bytes, key)
  local word = ("<i8"):unpack(key .. key)
  local padded = bytes .. ("\0"):rep(-#bytes % 8)
  local pieces = {}
  for at = 1, #padded, 8 do
    pieces[#pieces + 1] = ("<i8"):pack(("<i8"):unpack(padded, at) ~ word)
  end
  return table.concat(pieces):sub(1, #bytes)
end

local function length_field(size, masked)
  local bit = masked and 0x80 or 0
  if size < 126 then return string.char(bit | size) end
  if size < 65536 then return (">BI2"):pack(bit | 126, size) end
  return (">BI8"):pack(bit | 127, size)
end

--- options: fin = false; rsv = bits 0 to 7; mask = a key of four bytes.
function Peer.encode(opcode, payload, options)
  options = options or {}
  local fin = options.fin == false and 0 or 0x80
  local first = string.char(fin | (options.rsv or 0) << 4 | (OPCODE[opcode] or opcode))
  local header = first .. length_field(#payload, options.mask)
  if not options.mask then return header .. payload end
  return header .. options.mask .. mask(payload, options.mask)
end

--- The numbers from `first` to `last`, as texts.
function Peer.numbers(first, last)
  local texts = {}
  for i = first, last do texts[#texts + 1] = tostring(i) end
  return texts
end

--- Their frames.
function Peer.burst(first, last)
  local frames = Peer.numbers(first, last)
  for i, text in ipairs(frames) do frames[i] = Peer.encode("text", text) end
  return table.concat(frames)
end

local function decode_length(bytes, from)
  local short = bytes:byte(from + 1) & 0x7F
  if short < 126 then return short, from + 2 end
  local format, size = table.unpack(short == 126 and { ">I2", 2 } or { ">I8", 8 })
  if #bytes < from + 1 + size then return nil end
  return format:unpack(bytes, from + 2)
end

-- The frame that begins at a position in `bytes` and the position behind it, or nil when it is not
-- whole.
local function decode(bytes, from)
  if #bytes < from + 1 then return nil end
  local size, at = decode_length(bytes, from)
  if not size then return nil end
  local masked = bytes:byte(from + 1) & 0x80 ~= 0
  local start = masked and at + 4 or at
  if #bytes < start + size - 1 then return nil end

  local first, payload = bytes:byte(from), bytes:sub(start, start + size - 1)
  local key = masked and bytes:sub(at, at + 3) or nil
  return {
    fin = first & 0x80 ~= 0,
    rsv = first >> 4 & 0x7,
    opcode = first & 0xF,
    masked = masked,
    shortest = bytes:sub(from + 1, at - 1) == length_field(size, masked),
    key = key,
    payload = key and mask(payload, key) or payload,
  }, start + size
end

--------------------------------------------------------------------------------------------------
-- HTTP

-- Several headers of a name become a list.
local function add_header(headers, name, value)
  local before = headers[name]
  if before == nil then
    headers[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    headers[name] = { before, value }
  end
end

local function parse_request(raw)
  local line = raw:match "^[^\r\n]*"
  local method, path = line:match "^(%S+) (%S+) HTTP/1%.1$"
  local headers = {}
  for name, value in raw:gmatch "\r\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    add_header(headers, name:lower(), value)
  end
  return { line = line, method = method, path = path, headers = headers, raw = raw }
end

local function header_lines(headers)
  local lines = {}
  for name, values in pairs(headers) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      lines[#lines + 1] = name .. ": " .. value
    end
  end
  table.sort(lines)
  return lines
end

local function response(status, headers, body)
  local lines = header_lines(headers)
  table.insert(lines, 1, status)
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

-- Sets what `changes` names, whatever the case; false takes a header away.
local function override(headers, changes)
  for name, value in pairs(changes or {}) do
    for own in pairs(headers) do
      if own:lower() == name:lower() then headers[own] = nil end
    end
    headers[name] = value or nil
  end
  return headers
end

function Peer.accept_value(key)
  return (mime.b64(sha1(key .. GUID)))
end

--------------------------------------------------------------------------------------------------
-- Connections

local Connection = {}
Connection.__index = Connection

local PATIENT = { timeout = true, wantread = true, wantwrite = true } -- come again later

-- The TLS handshake takes as many turns as it takes; what it comes to is in `ready` or `failure`.
local function shake_hands(conn)
  local done, reason = conn.socket:dohandshake()
  if done then
    conn.ready = true
  elseif not PATIENT[reason] then
    conn.failure = reason
    conn.socket:close()
  end
end

local function new_connection(raw, context)
  raw:settimeout(0)
  local conn = { socket = raw, raw = raw, inbox = "", ready = not context }
  if context then
    conn.socket = assert(ssl.wrap(raw, context))
    conn.socket:settimeout(0)
  else
    pcall(raw.setoption, raw, "tcp-nodelay", true) -- a socket of this machine has none
  end
  return setmetatable(conn, Connection)
end

-- Takes what has arrived into the inbox.
local function fill(conn)
  if conn.ended then return end
  local pieces = { conn.inbox }
  local whole, reason, part
  repeat
    whole, reason, part = conn.socket:receive(READ_SIZE)
    pieces[#pieces + 1] = whole or part
  until not whole
  conn.inbox = table.concat(pieces)
  conn.ended = not PATIENT[reason]
end

-- Turns until take() finds what it needs in the inbox.
local function expect(conn, take, what, limit)
  return turn.till(function()
    fill(conn)
    local result = take()
    if not result and conn.ended then error("the client hung up before " .. what, 0) end
    return result
  end, what, limit)
end

--- The request, once it is whole: { line, method, path, headers, raw }.
function Connection:request(limit)
  self.asked = expect(self, function()
    local head, rest = self.inbox:match "^(.-\r\n\r\n)(.*)$"
    self.inbox = rest or self.inbox
    return head and parse_request(head)
  end, "a request", limit)
  return self.asked
end

--- Any answer: a status line such as "HTTP/1.1 404 Not Found", headers, a body.
function Connection:reply(status, headers, body)
  self:send(response(status, headers or {}, body))
end

--- Answers 101, after reading the request unless that was done, and returns it. options: protocol;
--- headers, which replace ours (false: none); status, the whole line; extra, bytes sent in the same
--- segment.
function Connection:upgrade(options)
  options = options or {}
  local request = self.asked or self:request()
  local headers = override({
    ["Upgrade"] = "websocket",
    ["Connection"] = "Upgrade",
    ["Sec-WebSocket-Accept"] = Peer.accept_value(request.headers["sec-websocket-key"]),
    ["Sec-WebSocket-Protocol"] = options.protocol,
  }, options.headers)
  local status = options.status or "HTTP/1.1 101 Switching Protocols"
  self:send(response(status, headers, options.extra))
  return request
end

--- Sends the bytes as they are, turning while the client does not take them, and behind each
--- `piece` of them where the connection has such a field.
function Connection:send(bytes, limit)
  local sent = 0
  turn.till(function()
    local stop = math.min(#bytes, sent + (self.piece or #bytes))
    local last, reason, part = self.socket:send(bytes, sent + 1, stop)
    sent = last or part or sent
    if reason == "closed" then error("the client hung up before it had all bytes", 0) end
    return sent == #bytes
  end, "the client to take all bytes", limit)
end

--- opcode: a name or a number; options as for Peer.encode.
function Connection:frame(opcode, payload, options)
  self:send(Peer.encode(opcode, payload or "", options))
end

function Connection:text(payload)
  self:frame("text", payload)
end

function Connection:binary(payload)
  self:frame("binary", payload)
end

function Connection:ping(payload)
  self:frame("ping", payload)
end

function Connection:pong(payload)
  self:frame("pong", payload)
end

function Connection:close(code, reason)
  self:frame("close", code and (">I2"):pack(code) .. (reason or "") or "")
end

--- The next frame: { fin, rsv, opcode, masked, shortest (its length's form), key, payload (unmasked) }.
function Connection:receive_frame(limit)
  return expect(self, function()
    local frame, position = decode(self.inbox, 1)
    self.inbox = self.inbox:sub(position or 1)
    return frame
  end, "a frame", limit)
end

--- The frames that have come by now, without waiting for any.
function Connection:frames()
  fill(self)
  local frames, position = {}, 1
  repeat
    local frame, behind = decode(self.inbox, position)
    frames[#frames + 1] = frame
    position = behind or position
  until not frame
  self.inbox = self.inbox:sub(position)
  return frames
end

local function receive_whole(conn, kind, limit)
  local frame = conn:receive_frame(limit)
  if frame.opcode ~= OPCODE[kind] or not frame.fin then
    local message = "expected a whole %s message, got opcode 0x%X, fin %s, payload %q"
    error(message:format(kind, frame.opcode, frame.fin, frame.payload:sub(1, 80)), 3)
  end
  return frame.payload
end

--- The payload of the next frame, which must be a whole message of this kind.
function Connection:receive_text(limit)
  return receive_whole(self, "text", limit)
end

function Connection:receive_binary(limit)
  return receive_whole(self, "binary", limit)
end

--- The next frame must be a close frame: returns its code (nil: none) and reason.
function Connection:receive_close(limit)
  local payload = receive_whole(self, "close", limit)
  if payload == "" then return nil, "" end
  return (">I2"):unpack(payload), payload:sub(3)
end

--- The payload of the next frame, which must be a ping.
function Connection:receive_ping(limit)
  return receive_whole(self, "ping", limit)
end

--- Whether bytes have come that nobody asked for yet.
function Connection:has_input()
  fill(self)
  return self.inbox ~= ""
end

--- Turns until the client has ended the TCP connection; what it still sent is in `inbox`.
function Connection:closed(limit)
  return turn.till(function()
    fill(self)
    return self.ended
  end, "the client to hang up", limit)
end

-- Lends the descriptor that TLS holds to the plain socket under it.
local function on_raw(conn, use)
  if conn.socket == conn.raw then return use(conn.raw) end
  conn.raw:setfd(conn.socket:getfd())
  use(conn.raw)
  conn.raw:setfd(-1)
end

--- Ends the connection in order: FIN, and on TLS a close_notify before it.
function Connection:finish()
  if self.ready then fill(self) end -- bytes left unread would turn the FIN into a reset
  self.socket:close()
end

--- Ends the connection with a FIN and, on TLS, no close_notify.
function Connection:cut()
  on_raw(self, function(raw) raw:shutdown "both" end)
  self.socket:close()
end

--- Ends the connection with a reset; on TLS, LuaSec sends a close_notify before it.
function Connection:reset()
  on_raw(self, function(raw) raw:setoption("linger", { on = true, timeout = 0 }) end)
  self.socket:close()
end

--------------------------------------------------------------------------------------------------
-- Servers

local Server = {}
Server.__index = Server

local function new_context(tls)
  return assert(ssl.newcontext {
    mode = "server",
    protocol = "any",
    certificate = tls.cert,
    key = tls.key,
    cafile = tls.client_ca,
    verify = tls.client_ca and { "peer", not tls.optional and "fail_if_no_peer_cert" or nil } or "none",
  })
end

local function listen_at(path)
  local listener = assert(require "socket.unix".stream())
  assert(listener:bind(path))
  assert(listener:listen(64))
  listener:settimeout(0)
  return listener
end

local function listen(address, port, narrow)
  local listener = assert(address:find ":" and socket.tcp6() or socket.tcp4())
  listener:setoption("reuseaddr", true)
  if narrow then listener:setoption("recv-buffer-size", 65536) end
  assert(listener:bind(address, port))
  assert(listener:listen(64))
  listener:settimeout(0)
  return listener
end

-- The connections that wait at the door.
local function arrivals(server)
  return function() return server.listener and server.listener:accept() end
end

-- Each turn: takes in who has come, and goes on with TLS handshakes.
local function serve(server)
  for raw in arrivals(server) do
    server.all[#server.all + 1] = new_connection(raw, server.context)
  end
  for _, conn in ipairs(server.all) do
    if not conn.ready and not conn.failure then shake_hands(conn) end
  end
end

turn.along(function()
  for server in pairs(servers) do serve(server) end
end)

--- options: address ("127.0.0.1" or "::1"); port, a free one by default; tls = { cert, key,
--- client_ca: demand a certificate of this authority, optional: do without, too }; narrow = true: the
--- kernel takes little of what nobody reads; path, of a socket of this machine in place of address and port.
function Peer.listen(options)
  options = options or {}
  local address = options.address or "127.0.0.1"
  local server = setmetatable({ address = address, all = {}, taken = 0 }, Server)
  server.context = options.tls and new_context(options.tls)
  servers[server] = true
  if options.path then
    server.listener = listen_at(options.path)
    server.url = ("%s+unix:%s:/"):format(options.tls and "wss" or "ws", options.path)
    return server
  end
  server.listener = listen(address, options.port or 0, options.narrow)
  server.port = math.tointeger(select(2, server.listener:getsockname()))
  server.url = ("%s://%s:%d/"):format(
    options.tls and "wss" or "ws",
    address:find ":" and "[" .. address .. "]" or address,
    server.port
  )
  return server
end

--- The next connection, once it is there and its TLS handshake done; nil and the reason when that
--- failed.
function Server:accept(limit)
  local conn = turn.till(function()
    serve(self)
    local next_one = self.all[self.taken + 1]
    return next_one and (next_one.ready or next_one.failure) and next_one
  end, "a connection to " .. self.url, limit)
  self.taken = self.taken + 1
  if conn.failure then return nil, conn.failure end
  return conn
end

--- Accepts a connection, reads its request and upgrades it: the usual beginning.
function Server:welcome(options)
  local conn = self:accept()
  conn:upgrade(options)
  return conn
end

--- How many connections have come so far, taken with accept or not.
function Server:arrivals()
  serve(self)
  return #self.all
end

--- Stops listening; connections stay.
function Server:close()
  if self.listener then self.listener:close() end
  self.listener = nil
end

--- Listens again on the same port.
function Server:open_again()
  self.listener = listen(self.address, self.port)
end

--- Ends every server and connection: for after_each.
function Peer.close_all()
  for server in pairs(servers) do
    server:close()
    for _, conn in ipairs(server.all) do conn:cut() end
    servers[server] = nil
  end
end

return Peer
