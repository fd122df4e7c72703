-- A SOCKS 5 proxy (RFC 1928) in the thread of the client under test, for what a real one does not do:
-- every code, answers that are cut, silence in each phase.

local Proxy = require "support.proxy"

local Socks = {}

-- Each takes a whole message from what has come, or returns nil; and returns what it says.
local steps = {}

local function take(tunnel, size)
  if #tunnel.inbound < size then return nil end
  local message = tunnel.inbound:sub(1, size)
  tunnel.inbound = tunnel.inbound:sub(size + 1)
  return message
end

function steps.method(proxy, tunnel)
  local count = tunnel.inbound:byte(2)
  local greeting = count and take(tunnel, 2 + count)
  if not greeting then return nil end
  table.insert(proxy.greetings, greeting)
  local log_in = proxy.options.user ~= nil
  local wanted = log_in and "\2" or "\0"
  if not greeting:find(wanted, 3, true) then return "\5\xFF", "end" end
  return "\5" .. wanted, log_in and "login" or "reply"
end

function steps.login(proxy, tunnel)
  local fine, version, user, password, behind = pcall(string.unpack, "Bs1s1", tunnel.inbound)
  if not fine then return nil end
  take(tunnel, behind - 1)
  assert(version == 1)
  if user == proxy.options.user and password == proxy.options.password then return "\1\0", "reply" end
  return "\1\1", "end"
end

local function v6_text(bytes)
  local groups = { (">I2I2I2I2I2I2I2I2"):unpack(bytes) }
  for i = 1, 8 do groups[i] = ("%x"):format(groups[i]) end
  return table.concat(groups, ":", 1, 8)
end

-- The host, and where the port begins.
local function target_of(inbound)
  local kind = inbound:byte(4)
  if kind == 1 and #inbound >= 10 then return ("%d.%d.%d.%d"):format(inbound:byte(5, 8)), 9 end
  if kind == 4 and #inbound >= 22 then return v6_text(inbound:sub(5, 20)), 21 end
  local size = kind == 3 and inbound:byte(5)
  if size and #inbound >= 7 + size then return inbound:sub(6, 5 + size), 6 + size end
end

function steps.reply(proxy, tunnel)
  local host, at = target_of(tunnel.inbound)
  if not host then return nil end
  local port = (">I2"):unpack(tunnel.inbound, at)
  local kind = take(tunnel, at + 1):byte(4)
  table.insert(proxy.requests, { host = host, port = port, target = ("%s:%d"):format(host, port), type = kind })
  if proxy.options.silent == "reply" or proxy.options.answers then return "", "end" end
  local code = (proxy.options.refuses or {})[host] or (proxy:reach(tunnel, host, port) and 5 or 0)
  local reply = proxy.options.accepts or "\5\0\0\1\0\0\0\0\0\0"
  return code == 0 and reply or ("\5%c\0\1\0\0\0\0\0\0"):format(code), code == 0 and "through" or "end"
end

local function converse(proxy, tunnel)
  tunnel.step = tunnel.step or "method"
  local answers, said, following = proxy.options.answers or {}, steps[tunnel.step](proxy, tunnel)
  if not said then return end
  if proxy.options.silent == tunnel.step then
    said, following = "", "silence"
  elseif answers[tunnel.step] then
    said, following = answers[tunnel.step], "end"
  end
  proxy:say(tunnel, said)
  tunnel.step = following
  tunnel.asked = not steps[following]
  tunnel.over = following == "end"
end

--- options: user, password; refuses, a table from hosts as they are asked for to codes; answers, a table
--- from "method", "login" or "reply" to the bytes to answer that with, before hanging up; silent, one of
--- those three, which is not answered; accepts, the reply that says yes; resolves = true: the URL says
--- that the proxy resolves; address, hosts, tls, pieces and interval as for support.proxy. The proxy has
--- a url, a port, greetings, accepted, and requests: { host, port, target,
--- type (1, 3 or 4) } each.
function Socks.listen(options)
  options = options or {}
  options.converse = converse
  options.scheme = options.resolves and "socks5h" or "socks5"
  local proxy = Proxy.listen(options)
  proxy.greetings = {}
  return proxy
end

return Socks
