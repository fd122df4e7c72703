-- An HTTP proxy in the thread of the client under test, for CONNECT only: it writes down what it is
-- asked for, and then passes bytes on, both ways. support.socks makes it one for SOCKS.

local socket = require "socket"
local ssl = require "ssl"
local turn = require "support.turn"

local Proxy = {}
Proxy.__index = Proxy

local READ_SIZE = 64 * 1024

local proxies = {} -- all that close_all has to close

local function parse(head)
  local request = { line = head:match "^[^\r\n]*", headers = {} }
  request.target = request.line:match "^CONNECT (%S+) HTTP/1%.[01]$"
  for name, value in head:gmatch "\r\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    request.headers[name:lower()] = value
  end
  return request
end

--- Connects the tunnel to a host as the request has it, or as the proxy was told. Returns what went
--- wrong, or nil.
function Proxy:reach(tunnel, host, port)
  local outward = host:find ":" and socket.tcp6() or socket.tcp4()
  outward:settimeout(1) -- on loopback, where it is done at once
  local connected, problem = outward:connect((self.options.hosts or {})[host] or host, tonumber(port))
  if not connected then return problem end
  outward:settimeout(0)
  tunnel.outward = outward
end

--- Has the tunnel's client sent this, a piece a turn, or a byte each `interval`.
function Proxy:say(tunnel, bytes)
  tunnel.outbound = tunnel.outbound .. bytes
  tunnel.head_left = (tunnel.head_left or 0) + #bytes
  tunnel.piece = self.options.interval and 1 or math.ceil(#bytes / (self.options.pieces or 1))
end

local function answer(proxy, tunnel)
  local head, rest = tunnel.inbound:match "^(.-\r\n\r\n)(.*)$"
  if not head then return end
  local request = parse(head)
  proxy.requests[#proxy.requests + 1] = request
  tunnel.asked, tunnel.inbound = true, rest
  if proxy.options.answer then
    proxy:say(tunnel, proxy.options.answer)
    tunnel.over = proxy.options.hang_up ~= false
  elseif not proxy.options.silent then
    local problem = proxy:reach(tunnel, request.target:match "^%[?(.-)%]?:(%d+)$")
    assert(not problem, problem)
    proxy:say(tunnel, proxy.options.accepts or "HTTP/1.1 200 Connection established\r\n\r\n")
  end
end

-- What has come in behind what is in `buffer`, and whether that is the end.
local function read(from, buffer)
  local whole, reason, part = from:receive(READ_SIZE)
  return buffer .. (whole or part), reason == "closed"
end

-- What is left of `buffer`, of which at most `limit` bytes go.
local function write(to, buffer, limit)
  local last, _, part = to:send(buffer, 1, limit)
  return buffer:sub((last or part or 0) + 1)
end

-- What the proxy says itself goes a piece a turn.
local function answer_inward(proxy, tunnel)
  local size = #tunnel.outbound
  local in_head = (tunnel.head_left or 0) > 0
  local interval, now = proxy.options.interval, socket.gettime()
  if in_head and interval and now - (tunnel.last or 0) < interval then return end
  tunnel.last = now
  tunnel.outbound = write(tunnel.inward, tunnel.outbound,
    in_head and math.min(tunnel.piece, tunnel.head_left) or nil)
  if in_head then tunnel.head_left = tunnel.head_left - (size - #tunnel.outbound) end
end

-- The TLS handshake takes as many turns as it takes; returns whether it is done, and whether that is
-- the end.
local function shake_hands(tunnel)
  if tunnel.ready then return true end
  local done, reason = tunnel.inward:dohandshake()
  tunnel.ready = done
  return done, not done and reason ~= "wantread" and reason ~= "wantwrite"
end

local function pump(proxy, tunnel)
  local ready, ended = shake_hands(tunnel)
  if not ready then return ended end
  tunnel.inbound, ended = read(tunnel.inward, tunnel.inbound)
  if not tunnel.asked then (proxy.options.converse or answer)(proxy, tunnel) end
  if tunnel.outward then
    local server_ended
    if tunnel.inbound ~= "" then tunnel.inbound = write(tunnel.outward, tunnel.inbound) end
    tunnel.outbound, server_ended = read(tunnel.outward, tunnel.outbound)
    ended = ended or server_ended
  end
  if tunnel.outbound ~= "" then answer_inward(proxy, tunnel) end
  return (ended or tunnel.over) and tunnel.outbound == ""
end

local function close_tunnel(tunnel)
  tunnel.inward:close()
  if tunnel.outward then tunnel.outward:close() end
end

local function serve(proxy)
  local inward = proxy.listener and proxy.listener:accept()
  if inward then
    inward:settimeout(0)
    proxy.accepted = proxy.accepted + 1
    if proxy.context then
      inward = assert(ssl.wrap(inward, proxy.context))
      inward:settimeout(0)
    end
    proxy.tunnels[#proxy.tunnels + 1] =
      { inward = inward, inbound = "", outbound = "", ready = not proxy.context }
  end
  for position = #proxy.tunnels, 1, -1 do
    local tunnel = proxy.tunnels[position]
    if pump(proxy, tunnel) then
      close_tunnel(tunnel)
      table.remove(proxy.tunnels, position)
    end
  end
end

turn.along(function()
  for proxy in pairs(proxies) do serve(proxy) end
end)

--- options: address; port; scheme, http by default; tls, a pair of support.certs; accepts, the head that
--- says yes, sent in so many `pieces`, or a byte each `interval` (seconds); answer, the bytes to answer
--- with instead of a tunnel, before hanging up unless hang_up = false; silent = true: no answer; hosts, a
--- table from names to addresses. The proxy has a url, a port, accepted (connections), and requests:
--- { line, target, headers } each.
function Proxy.listen(options)
  options = options or {}
  local address = options.address or "127.0.0.1"
  local proxy = setmetatable({ options = options, requests = {}, tunnels = {}, accepted = 0 }, Proxy)
  if options.tls then
    proxy.context = assert(ssl.newcontext {
      mode = "server", protocol = "any", certificate = options.tls.cert, key = options.tls.key,
      verify = options.tls.verify,
    })
  end
  proxy.listener = assert(address:find ":" and socket.tcp6() or socket.tcp4())
  proxy.listener:setoption("reuseaddr", true)
  assert(proxy.listener:bind(address, options.port or 0))
  assert(proxy.listener:listen(16))
  proxy.listener:settimeout(0)
  proxy.port = math.tointeger(select(2, proxy.listener:getsockname()))
  proxy.url = ("%s://%s:%d"):format(options.scheme or (options.tls and "https" or "http"),
    address:find ":" and "[" .. address .. "]" or address, proxy.port)
  proxies[proxy] = true
  return proxy
end

--- Its URL with credentials.
function Proxy:url_with(credentials)
  return (self.url:gsub("//", "//" .. credentials:gsub("%%", "%%%%") .. "@"))
end

--- Stops listening and ends all tunnels.
function Proxy:close()
  if self.listener then self.listener:close() end
  self.listener = nil
  for _, tunnel in ipairs(self.tunnels) do close_tunnel(tunnel) end
  self.tunnels = {}
end

--- For after_each.
function Proxy.close_all()
  for proxy in pairs(proxies) do proxy:close() end
  proxies = {}
end

return Proxy
