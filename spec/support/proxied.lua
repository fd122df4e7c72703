--- Clients that go through a proxy to a server, for the specs of proxies.

local assert = require "luassert"
local Peer = require "support.peer"
local Proxy = require "support.proxy"
local certs = require "support.certs"
local watched = require "support.watched"

local proxied = {}

--- The options of a server, for each scheme.
proxied.TRANSPORTS = { ws = {}, wss = { tls = certs.good } }

function proxied.end_all()
  watched.end_all()
  Proxy.close_all()
end

--- Connects a client through a proxy to a new server. Returns the client and the server. In
--- options.url, PORT becomes the server's port.
function proxied.set_out(proxy, scheme, options)
  local server = Peer.listen(proxied.TRANSPORTS[scheme])
  options = options or {}
  options.url = options.url and options.url:gsub("PORT", server.port) or server.url
  options.name = "prices"
  options.proxy = options.proxy or proxy.url
  if scheme == "wss" or (options.proxy or ""):find "^https:" then
    options.tls = options.tls or { ca_file = certs.ca }
  end
  return watched.connect(options), server
end

--- Messages go both ways, also large ones.
function proxied.talk(client, conn)
  client:await "opens"
  client.ws:send "from the client"
  assert.equal("from the client", conn:receive_text())
  conn:text "from the server"
  assert.equal("from the server", client:await("messages").data)
  local large = ("x"):rep(1 << 20)
  client.ws:send(large, "binary")
  assert.is_true(conn:receive_binary() == large)
  conn:binary(large)
  assert.is_true(client:await("messages", 2).data == large)
  assert.same({}, client.errors)
end

--- The attempt fails with this message behind "prices: <url>: ". server: it must not have been
--- reached; nil when it may have been.
function proxied.fails(client, server, message, kind, http_status)
  local event = client:await "errors"
  assert.equal(("prices: %s: %s"):format(client.ws.url, message), event.message)
  assert.equal(kind or "proxy", event.kind)
  assert.equal(http_status, event.http_status)
  assert.is_true(event.will_reconnect)
  assert.equal(event.message, client.ws.last_error)
  assert.equal("connecting on_error waiting", client:told(1))
  if server then assert.equal(0, server:arrivals(), "the client has gone past the proxy") end
  client.ws:close()
end

return proxied
