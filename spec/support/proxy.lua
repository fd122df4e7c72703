-- An HTTP proxy in the thread of the client under test, for CONNECT only: it writes down what it is
-- asked for, and then passes bytes on, both ways.

local socket = require "socket"
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

-- The address to connect to, as the request has it or as the proxy was told.
local function connect(proxy, target)
  local host, port = target:match "^%[?(.-)%]?:(%d+)$"
  local outward = host:find ":" and socket.tcp6() or socket.tcp4()
  outward:settimeout(1) -- on loopback, where it is done at once
  assert(outward:connect((proxy.options.hosts or {})[host] or host, tonumber(port)))
  outward:settimeout(0)
  return outward
end

local function answer(proxy, tunnel)
  local head, rest = tunnel.inbound:match "^(.-\r\n\r\n)(.*)$"
  if not head then return end
  local request = parse(head)
  proxy.requests[#proxy.requests + 1] = request
  tunnel.asked, tunnel.inbound = true, rest
  if proxy.options.answer then
    tunnel.outbound = proxy.options.answer
    tunnel.over = proxy.options.hang_up ~= false
  elseif not proxy.options.silent then
    tunnel.outward = connect(proxy, request.target)
    tunnel.outbound = proxy.options.accepts or "HTTP/1.1 200 Connection established\r\n\r\n"
    tunnel.head_left = #tunnel.outbound
    tunnel.piece = math.ceil(tunnel.head_left / (proxy.options.pieces or 1))
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

-- The head of a "yes" goes a piece a turn.
local function answer_inward(tunnel)
  local size = #tunnel.outbound
  local in_head = (tunnel.head_left or 0) > 0
  tunnel.outbound = write(tunnel.inward, tunnel.outbound,
    in_head and math.min(tunnel.piece, tunnel.head_left) or nil)
  if in_head then tunnel.head_left = tunnel.head_left - (size - #tunnel.outbound) end
end

local function pump(proxy, tunnel)
  local ended
  tunnel.inbound, ended = read(tunnel.inward, tunnel.inbound)
  if not tunnel.asked then answer(proxy, tunnel) end
  if tunnel.outward then
    local server_ended
    if tunnel.inbound ~= "" then tunnel.inbound = write(tunnel.outward, tunnel.inbound) end
    tunnel.outbound, server_ended = read(tunnel.outward, tunnel.outbound)
    ended = ended or server_ended
  end
  if tunnel.outbound ~= "" then answer_inward(tunnel) end
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
    proxy.tunnels[#proxy.tunnels + 1] = { inward = inward, inbound = "", outbound = "" }
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

--- options: address; port; accepts, the head that says yes, sent in so many `pieces`; answer, the bytes
--- to answer with instead of a tunnel, before hanging up unless hang_up = false; silent = true: no
--- answer; hosts, a table from names to addresses. The proxy has a url, a port, and requests:
--- { line, target, headers } each.
function Proxy.listen(options)
  options = options or {}
  local address = options.address or "127.0.0.1"
  local proxy = setmetatable({ options = options, requests = {}, tunnels = {} }, Proxy)
  proxy.listener = assert(address:find ":" and socket.tcp6() or socket.tcp4())
  proxy.listener:setoption("reuseaddr", true)
  assert(proxy.listener:bind(address, options.port or 0))
  assert(proxy.listener:listen(16))
  proxy.listener:settimeout(0)
  proxy.port = math.tointeger(select(2, proxy.listener:getsockname()))
  proxy.url = ("http://%s:%d"):format(address:find ":" and "[" .. address .. "]" or address, proxy.port)
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
