--- What a user can do about a failure.

require "steadysocket.loader"

local advice = {}

-- For each kind of failure a text, or a function of the event that may return one.
local ADVICE = {
  dns = "check the name of the host",
  refused = "start the server, or check the port",
  unreachable = "check the address and the network",
  timeout = "check the address, or wait longer with --connect-timeout",
  handshake = "check that a WebSocket server listens there",
  proxy = "check the proxy",
}

function ADVICE.tls(event)
  if event.message:find(": certificate is ", 1, true) then
    return "--ca FILE trusts another authority, --insecure any certificate"
  elseif event.message:find("is not TLS", 1, true) then
    return "a server without TLS is reached by ws://"
  end
end

function ADVICE.http(event)
  local status = event.http_status
  if status == 401 then
    return "give a user and password in the URL, or --header"
  elseif status >= 500 then
    return "try again later: the server, or one behind it, is in trouble"
  end
  return "check the path, and what --header, --protocol and --origin say"
end

--- Returns the text to put behind the message of a failure, which may be empty.
function advice.about(event)
  local text = ADVICE[event.kind]
  if type(text) == "function" then text = text(event) end
  return text and "; " .. text or ""
end

--- Adds advice to what the module raises when it can make no loop or no connection.
function advice.about_start(problem)
  if not problem:find "too many open files" then return problem end
  return problem .. "; allow more of them (ulimit -n)"
end

return advice
