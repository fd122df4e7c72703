-- Proxies that speak TLS themselves: CONNECT inside of TLS, and the server's TLS inside of that.

local Peer = require "support.peer"
local Proxy = require "support.proxy"
local certs = require "support.certs"
local child = require "support.child"
local cost = require "support.cost"
local mime = require "mime"
local turn = require "support.turn"
local proxied = require "support.proxied"
local watched = require "support.watched"

local TRANSPORTS, end_all, set_out = proxied.TRANSPORTS, proxied.end_all, proxied.set_out
local talk, fails = proxied.talk, proxied.fails

for scheme in pairs(TRANSPORTS) do
  describe(scheme .. " through a proxy that speaks TLS", function()
    after_each(end_all)

    it("works as without one", function()
      local proxy = Proxy.listen { tls = certs.good }
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "user:secret" })
      talk(client, server:welcome())
      local request = proxy.requests[1]
      assert.equal("127.0.0.1:" .. server.port, request.target)
      assert.equal("user:secret", (mime.unb64(request.headers["proxy-authorization"]:match " (.*)$")))
    end)

    it("works when its answer comes in pieces, each a TLS record", function()
      local proxy = Proxy.listen { tls = certs.good, pieces = 100 }
      local client, server = set_out(proxy, scheme)
      talk(client, server:welcome())
    end)

    it("knows of each end whose it is: the server's is a lost connection", function()
      local proxy = Proxy.listen { tls = certs.good }
      local client, server = set_out(proxy, scheme)
      local conn = server:welcome()
      client:await "opens"
      conn:cut()
      assert.equal(1006, client:await("closes").code)
      server:welcome()
      client:await("opens", 2)
    end)

    it("that refuses is told of with its status", function()
      local proxy = Proxy.listen { tls = certs.good, answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }
      local client, server = set_out(proxy, scheme)
      fails(client, server, ("the proxy %s refused to connect to 127.0.0.1:%d: it answered 403 Forbidden")
        :format(proxy.url, server.port), "proxy", 403)
    end)

    it("that is silent or dribbles does not hold an attempt for longer than connect_timeout", function()
      local plain = Peer.listen() -- accepts, and says nothing
      local cases = {
        ["no TLS handshake with the proxy https://127.0.0.1:" .. plain.port .. " within 0.3 s"] = { port = plain.port },
        ["no connection through the proxy %s within 0.3 s"] = { tls = certs.good, silent = true },
        ["no connection through the proxy %s within 0.3 s "] = { tls = certs.good, interval = 0.05 },
      }
      for text, options in pairs(cases) do
        local proxy = options.port and { url = "https://127.0.0.1:" .. options.port } or Proxy.listen(options)
        local spent = cost.of(function()
          local client = set_out(proxy, scheme, { connect_timeout = 0.3 })
          local event = client:await "errors"
          assert.equal("timeout", event.kind)
          assert.truthy(event.message:find(text:gsub(" $", ""):format(proxy.url), 1, true), event.message)
          client.ws:close()
        end)
        cost.expect(spent.seconds, 0.29, 0.8)
        assert.is_true(spent.cpu < 0.3 or child.keeps_what_is_freed(), spent.cpu .. " s of CPU")
      end
    end)
  end)
end

describe("a proxy that speaks TLS", function()
  after_each(end_all)

  it("has its certificate checked for its own name, by the authorities of the server's", function()
    for name, text in pairs {
      expired = "certificate has expired",
      wrong_host = 'certificate is for "other.example", not for "127.0.0.1"',
      unknown = "certificate",
    } do
      local proxy = Proxy.listen { tls = certs[name] }
      local client, server = set_out(proxy, "wss")
      local event = client:await "errors"
      assert.equal("proxy", event.kind)
      assert.truthy(event.message:find(("the proxy %s cannot be used: "):format(proxy.url), 1, true), event.message)
      assert.truthy(event.message:find(text, 1, true), event.message)
      assert.equal(0, #proxy.requests, "the proxy was told where to go, or the password")
      assert.equal(0, server:arrivals())
      client.ws:close()
    end
  end)

  it("is not checked when the server is not", function()
    local proxy = Proxy.listen { tls = certs.wrong_host }
    local client, server = set_out(proxy, "ws", { tls = { verify = false } })
    talk(client, server:welcome())
  end)

  it("gets neither the client's certificate nor the server's name", function()
    local asking = { cert = certs.good.cert, key = certs.good.key, verify = "peer" } -- goes on without
    local proxy = Proxy.listen { tls = asking }
    local server = Peer.listen { tls = certs.wrong_host }
    local client = watched.connect {
      url = server.url,
      proxy = proxy.url:gsub("127.0.0.1", "localhost"),
      tls = {
        ca_file = certs.ca,
        cert_file = certs.client.cert,
        key_file = certs.client.key,
        server_name = "other.example",
      },
    }
    local conn = server:welcome()
    client:await "opens"
    assert.is_nil(proxy.tunnels[1].inward:getpeercertificate())
    assert.equal("localhost", proxy.tunnels[1].inward:getsniname())
    conn:text "x"
    client:await "messages"
  end)

  it("hides what goes through it from who listens before it, and the server's certificate is checked inside", function()
    local proxy = Proxy.listen { tls = certs.good }
    local server = Peer.listen { tls = certs.wrong_host }
    local client = watched.connect { url = server.url, proxy = proxy.url, tls = { ca_file = certs.ca } }
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    assert.truthy(event.message:find('certificate is for "other.example"', 1, true))
  end)

  it("that does not speak it is told of", function()
    local http = Proxy.listen { answer = "HTTP/1.1 400 Bad Request\r\n\r\n" }
    http.options.converse = function(proxy, tunnel)
      if tunnel.inbound == "" then return end
      proxy:say(tunnel, proxy.options.answer)
      tunnel.asked, tunnel.over = true, true
    end
    local url = http.url:gsub("^http", "https")
    local client = set_out(nil, "ws", { proxy = url })
    local event = client:await "errors"
    assert.equal("proxy", event.kind)
    assert.truthy(event.message:find(("the proxy %s cannot be used: the TLS handshake failed: what the server "
      .. "sent is not TLS"):format(url), 1, true), event.message)
    client.ws:close()

    http.options.answer = ""
    local server
    client, server = set_out(nil, "ws", { proxy = url })
    fails(client, server, ("the proxy %s cannot be used: the TLS handshake failed: the server ended the connection")
      :format(url))
  end)

  it("that is taken for one without TLS is told of", function()
    local proxy = Proxy.listen { answer = "\x15\3\1\0\2\2\x46", hang_up = false }
    local client, server = set_out(proxy, "ws")
    fails(client, server, ("the proxy %s answers in TLS: the URL of a proxy that speaks TLS begins with https://")
      :format(proxy.url))
  end)

  it("needs authorities that can be read, for ws:// too", function()
    local proxy = Proxy.listen { tls = certs.good }
    local client = set_out(proxy, "ws", { tls = { ca_file = "/no/such/file" } })
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    assert.truthy(event.message:find("/no/such/file", 1, true), event.message)
    assert.equal(0, proxy.accepted)
  end)

  it("through which a server is silent in its own TLS handshake does not hold an attempt for longer", function()
    local proxy = Proxy.listen { tls = certs.good }
    local silent = Peer.listen() -- accepts, and says nothing
    local spent = cost.of(function()
      local client = watched.connect {
        url = "wss://127.0.0.1:" .. silent.port,
        proxy = proxy.url,
        tls = { ca_file = certs.ca },
        connect_timeout = 0.3,
      }
      local event = client:await "errors"
      assert.equal("timeout", event.kind)
      assert.truthy(event.message:find("no TLS handshake within 0.3 s", 1, true), event.message)
      client.ws:close()
    end)
    cost.expect(spent.seconds, 0.29, 0.8)
  end)

  it("leaves nothing behind, however an attempt ends", function()
    local proxy = Proxy.listen { tls = certs.good, answer = "HTTP/1.1 502 Bad Gateway\r\n\r\n" }
    local client = set_out(proxy, "wss")
    client:await "errors"
    local spent = cost.of(function() client:await("errors", 12) end)
    client.ws:close()
    turn.till(function() return #proxy.tunnels == 0 end, "the proxy to see that")
    assert.is_true(spent.descriptors <= 4, spent.descriptors .. " descriptors more")
  end)

  it("holds no turn while much goes through", function()
    local proxy = Proxy.listen { tls = certs.good }
    local client, server = set_out(proxy, "wss")
    local conn = server:welcome()
    client:await "opens"
    local longest = cost.longest_turn(function()
      for _ = 1, 8 do conn:binary(("x"):rep(1 << 20)) end
      client:await("messages", 8, 20)
    end)
    assert.is_true(longest < 0.05 or child.keeps_what_is_freed(), longest .. " s of CPU in a turn")
  end)
end)
