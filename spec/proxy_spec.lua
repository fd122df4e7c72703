local Peer = require "support.peer"
local Proxy = require "support.proxy"
local WebSocket = require "steadysocket"
local certs = require "support.certs"
local child = require "support.child"
local cost = require "support.cost"
local mime = require "mime"
local socket = require "socket"
local proxied = require "support.proxied"
local watched = require "support.watched"

local TRANSPORTS, end_all, set_out = proxied.TRANSPORTS, proxied.end_all, proxied.set_out
local talk, fails = proxied.talk, proxied.fails

for scheme in pairs(TRANSPORTS) do
  describe(scheme .. " through a proxy", function()
    after_each(end_all)

    it("is asked for with CONNECT, and then works as without one", function()
      local proxy = Proxy.listen()
      local client, server = set_out(proxy, scheme)
      talk(client, server:welcome())
      assert.equal(1, #proxy.requests)
      local request = proxy.requests[1]
      assert.equal("127.0.0.1:" .. server.port, request.target)
      assert.equal(request.target, request.headers.host)
      assert.is_nil(request.headers["proxy-authorization"])
      assert.equal(server.url, client.opens[1].url)
      assert.equal("127.0.0.1", client.opens[1].address)
    end)

    it("sends Basic authorization to the proxy, and none of it to the server", function()
      local proxy = Proxy.listen()
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "user:secret" })
      local conn = server:welcome()
      talk(client, conn)
      local method, value = proxy.requests[1].headers["proxy-authorization"]:match "^(%a+) (.*)$"
      assert.equal("basic", method:lower())
      assert.equal("user:secret", (mime.unb64(value)))
      assert.is_nil(conn.asked.headers["proxy-authorization"])
      assert.is_nil(conn.asked.headers.authorization)
    end)

    it("is asked for again on each attempt", function()
      local proxy = Proxy.listen()
      local client, server = set_out(proxy, scheme)
      server:welcome()
      client:await "opens"
      client.ws:reconnect()
      server:welcome()
      client:await("opens", 2)
      assert.equal(2, #proxy.requests)
    end)

    it("that is refused is an error that names the proxy and says what it answered", function()
      for status, more in pairs {
        ["407 Proxy Authentication Required"] = "; it wants to be logged in to by Digest or Basic, "
          .. "and the proxy's URL may name user:password for Basic",
        ["503 Service Unavailable"] = "",
      } do
        for _, hang_up in ipairs { true, false } do
          local proxy = Proxy.listen {
            answer = ("HTTP/1.1 %s\r\nContent-Length: 2\r\nRetry-After: 60\r\n"
              .. 'Proxy-Authenticate: Digest realm="a, b", nonce="c=", Basic realm="d"\r\n\r\nno')
              :format(status),
            hang_up = hang_up,
          }
          local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "user:secret" })
          local event = client:await "errors"
          local text = "the proxy %s refused to connect to 127.0.0.1:%d: it answered %s%s"
          fails(client, server, text:format(proxy.url, server.port, status, more), "proxy",
            tonumber(status:sub(1, 3)))
          assert.equal("60", event.http_headers["retry-after"])
          assert.equal(60, event.retry_after)
          assert.equal("no", event.http_body)
          client.ws:close()
        end
      end
    end)

    it("takes any 2xx for a yes, however its head is cut and whatever stands in it", function()
      for _, head in ipairs {
        "HTTP/1.1 200\r\n",
        "HTTP/1.0 200 Connection established\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 17\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nX-Long: " .. ("x"):rep(12000) .. "\r\n",
      } do
        for _, pieces in ipairs { 1, 2, 7 } do
          local proxy = Proxy.listen { accepts = head .. "\r\n", pieces = pieces }
          local client, server = set_out(proxy, scheme)
          talk(client, server:welcome())
          client.ws:close()
        end
      end
    end)

    it("is not waited for when its head has no end", function()
      local proxy = Proxy.listen { answer = "HTTP/1.1 200 OK\r\nX-Long: " .. ("x"):rep(17000) }
      local client, server = set_out(proxy, scheme)
      fails(client, server, ("the answer of the proxy %s has a head of over 16 KiB"):format(proxy.url))
    end)

    it("is not waited for when it says again and again that it goes on", function()
      local proxy = Proxy.listen { answer = ("HTTP/1.1 100 Continue\r\n\r\n"):rep(4000), hang_up = false }
      local spent = cost.of(function()
        local client, server = set_out(proxy, scheme, { connect_timeout = 3 })
        fails(client, server, ("the answer of the proxy %s has a head of over 16 KiB"):format(proxy.url))
      end)
      cost.expect(spent.seconds, 0, 1)
    end)

    it("that dribbles does not hold an attempt for longer than connect_timeout", function()
      local proxy = Proxy.listen { interval = 0.05 }
      local spent = cost.of(function()
        local client = set_out(proxy, scheme, { connect_timeout = 0.3 })
        assert.equal("timeout", client:await("errors").kind)
        client.ws:close()
      end)
      cost.expect(spent.seconds, 0.29, 0.8)
    end)

    it("that answers nonsense, or hangs up, is an error that names it", function()
      for _, answer in ipairs { "SSH-2.0 OpenSSH\r\n", "\0\1\2\3", "" } do
        local proxy = Proxy.listen { answer = answer }
        local client, server = set_out(proxy, scheme)
        local event = client:await "errors"
        assert.equal("proxy", event.kind)
        assert.truthy(event.message:find("the proxy " .. proxy.url, 1, true))
        assert.equal(0, server:arrivals())
        client.ws:close()
      end
    end)

    it("that does not answer is a timeout that names it", function()
      local proxy = Proxy.listen { silent = true }
      local client, server = set_out(proxy, scheme, { connect_timeout = 0.2 })
      local text = "no connection through the proxy %s within 0.2 s"
      fails(client, server, text:format(proxy.url), "timeout")
    end)

    it("that is down is an error that names it and not its password", function()
      local proxy = Proxy.listen()
      proxy:close()
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "user:secret" })
      local text = "the proxy %s cannot be reached: connection refused"
      fails(client, server, text:format(proxy.url))
    end)

    it("whose name does not resolve is an error that names it and not its password", function()
      local client, server = set_out(nil, scheme, {
        proxy = "http://user:secret@no-such-host.invalid:3128",
      })
      local event = client:await("errors", 1, 20)
      assert.equal("proxy", event.kind)
      local message = "the proxy http://no-such-host.invalid:3128 cannot be reached: "
        .. 'cannot resolve "no-such-host.invalid": '
      assert.truthy(event.message:find(message, 1, true), event.message)
      assert.is_nil(event.message:find("secret", 1, true))
      assert.equal(0, server:arrivals())
    end)

    it("is found again after it was down", function()
      local proxy = Proxy.listen()
      local client, server = set_out(proxy, scheme)
      local conn = server:welcome()
      client:await "opens"
      proxy:close()
      client:await "closes"
      client:await "errors"
      assert.equal("proxy", client.errors[1].kind)
      conn:closed()
      Proxy.listen { port = proxy.port }
      server:welcome()
      client:await("opens", 2)
      assert.is_true(client.opens[2].reconnected)
    end)
  end)
end

describe("a proxy", function()
  after_each(end_all)

  it("resolves the server's name; the client does not", function()
    local proxy = Proxy.listen { hosts = { ["feed.test"] = "127.0.0.1" } }
    local client, server = set_out(proxy, "ws", { url = "ws://feed.test:PORT/path" })
    local conn = server:welcome()
    talk(client, conn)
    assert.equal("feed.test:" .. server.port, proxy.requests[1].target)
    assert.equal("feed.test:" .. server.port, conn.asked.headers.host)
    assert.equal("/path", conn.asked.path)
  end)

  it("is asked for an IPv6 address in brackets", function()
    local proxy = Proxy.listen()
    local server = Peer.listen { address = "::1" }
    local client = watched.connect { url = server.url, proxy = proxy.url }
    talk(client, server:welcome())
    assert.equal(("[::1]:%d"):format(server.port), proxy.requests[1].target)
  end)

  it("may have an IPv6 address itself", function()
    local proxy = Proxy.listen { address = "::1" }
    for _, options in ipairs { {}, { proxy = proxy:url_with "user:secret" } } do
      local client, server = set_out(proxy, "ws", options)
      talk(client, server:welcome())
      assert.equal("::1", client.opens[1].address)
      client.ws:close()
    end
    assert.equal(2, #proxy.requests)
  end)

  it("with an IPv6 address is shown with brackets around it", function()
    local proxy = Proxy.listen { address = "::1" }
    proxy:close()
    for _, scheme in ipairs { "http", "https", "socks5", "socks5h" } do
      local url = proxy.url:gsub("^http", scheme)
      local client, server = set_out(nil, "ws", { proxy = url })
      fails(client, server, ("the proxy %s://[::1]:%d cannot be reached: connection refused"):format(
        scheme, proxy.port))
      client.ws:close()
    end
  end)

  it("may be known by a name", function()
    local proxy = Proxy.listen()
    local url = proxy.url:gsub("127%.0%.0%.1", "localhost")
    local client, server = set_out(proxy, "ws", { proxy = url })
    talk(client, server:welcome())
    assert.equal(1, #proxy.requests)
  end)

  it("gets a user name or a password with any characters in it", function()
    local proxy = Proxy.listen()
    for written, meant in pairs {
      ["us%40er:p%3Aass%2Fw%25ord"] = "us@er:p:ass/w%ord",
      ["user"] = "user:",
      ["user:"] = "user:",
      ["u:" .. ("p"):rep(2000)] = "u:" .. ("p"):rep(2000),
    } do
      local client, server = set_out(proxy, "ws", { proxy = proxy:url_with(written) })
      server:welcome()
      client:await "opens"
      local sent = proxy.requests[#proxy.requests].headers["proxy-authorization"]:match " (.*)$"
      assert.equal(meant, (mime.unb64(sent)))
      client.ws:close()
    end
  end)

  it("is for its own clients only", function()
    local one, other = Proxy.listen(), Proxy.listen()
    local first, first_server = set_out(one, "ws")
    local second, second_server = set_out(other, "ws")
    local third_server = Peer.listen()
    local third = watched.connect { url = third_server.url }
    talk(first, first_server:welcome())
    talk(second, second_server:welcome())
    talk(third, third_server:welcome())
    assert.equal(1, #one.requests)
    assert.equal(1, #other.requests)
  end)

  it("does not keep the certificate from being checked", function()
    local proxy = Proxy.listen()
    local server = Peer.listen { tls = certs.wrong_host }
    local client = watched.connect {
      url = server.url,
      proxy = proxy.url,
      tls = { ca_file = certs.ca },
    }
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    assert.truthy(event.message:find('certificate is for "other.example"', 1, true))
  end)

  it("must have a URL that names one", function()
    local function refused(value, text)
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", proxy = value })
      assert.is_false(ok)
      assert.truthy(message:find(text, 1, true), message)
      assert.is_nil(message:find("secret", 1, true))
    end
    local not_a_proxy = "option 'proxy' is neither \"env\" nor the URL of a proxy: the URL "
    local known = ": known are http, https, socks5 and socks5h"
    refused("socks4://h:1080", not_a_proxy .. 'has the scheme "socks4", which is not known' .. known)
    refused("ftp://user:secret@h:1080", not_a_proxy .. 'has the scheme "ftp", which is not known' .. known)
    refused("h:1080", not_a_proxy .. "does not begin with a scheme, as http://" .. known)
    refused("user:secret@h:1080", not_a_proxy .. "does not begin with a scheme, as http://" .. known)
    refused("http://user:secret@h:1/path", not_a_proxy .. "has a path")
    refused("http://:3128", not_a_proxy .. "has no host")
    refused(3128, "option 'proxy' is a number, string expected")
  end)
end)

--------------------------------------------------------------------------------------------------

-- In a process of its own, with a proxy at the port that the environment names: says "through",
-- "direct", or the error. The arguments: the proxy's port, the scheme, the host, the proxy option.
local CHILD = [[
local Peer = require "support.peer"
local Proxy = require "support.proxy"
local turn = require "support.turn"
local WebSocket = require "steadysocket"
local port, scheme, host, option, cert, key, ca = ...
local proxy = Proxy.listen { port = tonumber(port), hosts = { [host] = "127.0.0.1" } }
local server = Peer.listen { tls = scheme == "wss" and { cert = cert, key = key } or nil }
local ws = WebSocket.new {
  url = ("%s://%s:%d/"):format(scheme, host, server.port),
  proxy = option ~= "none" and option or nil,
  tls = { ca_file = ca },
  connect_timeout = 3,
}
local failure
ws.on_error = function(event) failure = event.kind .. ": " .. event.message:match ": .-: (.*)" end
ws:connect()
turn.till(function()
  return failure or server:arrivals() > 0
end, "the outcome")
if not failure then
  server:welcome()
  turn.till(function() return failure or ws.status == "open" end, "the connection")
end
io.write(failure or #proxy.requests > 0 and "through" or "direct")
os.exit(0) -- at once
]]

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return math.tointeger(tonumber(port))
end

local NAMES = {
  "ws_proxy", "wss_proxy", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
  "WS_PROXY", "WSS_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
}

-- What comes of it with these variables, in which PROXY stands for the proxy's URL.
local function outcome(variables, scheme, host, option)
  local port = free_port()
  local words = { "env" }
  for _, name in ipairs(NAMES) do words[#words + 1] = "-u " .. name end
  for name, value in pairs(variables) do
    words[#words + 1] = ("%s='%s'"):format(name, (value:gsub("PROXY", "http://127.0.0.1:" .. port):gsub("PORT", port)))
  end
  local result = child.run(CHILD, {
    tostring(port), scheme, host, option or "env", certs.good.cert, certs.good.key, certs.ca,
  }, { under = table.concat(words, " ") })
  assert.equal(0, result.code, result.err)
  return result.out
end

describe('proxy = "env"', function()
  it("takes http_proxy for ws, and https_proxy for wss", function()
    local both = { http_proxy = "PROXY", https_proxy = "PROXY" }
    assert.equal("through", outcome(both, "ws", "127.0.0.1"))
    assert.equal("through", outcome(both, "wss", "localhost"))
    assert.equal("direct", outcome({ https_proxy = "PROXY" }, "ws", "127.0.0.1"))
    assert.equal("direct", outcome({ http_proxy = "PROXY" }, "wss", "localhost"))
    assert.equal("through", outcome({ HTTPS_PROXY = "PROXY" }, "wss", "localhost"))
  end)

  it("takes ws_proxy and wss_proxy before them", function()
    local dead = "http://127.0.0.1:1"
    assert.equal("through", outcome({ ws_proxy = "PROXY", http_proxy = dead, all_proxy = dead }, "ws", "127.0.0.1"))
    assert.equal("through", outcome({ WS_PROXY = "PROXY", http_proxy = dead }, "ws", "127.0.0.1"))
    assert.equal("through", outcome({ wss_proxy = "PROXY", https_proxy = dead }, "wss", "localhost"))
    assert.equal("through", outcome({ WSS_PROXY = "PROXY", HTTPS_PROXY = dead }, "wss", "localhost"))
    assert.equal("through", outcome({ wss_proxy = "PROXY", WSS_PROXY = dead }, "wss", "localhost"))
    assert.equal("direct", outcome({ wss_proxy = "PROXY" }, "ws", "127.0.0.1"))
    assert.equal("direct", outcome({ ws_proxy = "PROXY" }, "wss", "localhost"))
  end)

  it("takes all_proxy for both, if there is nothing better", function()
    assert.equal("through", outcome({ all_proxy = "PROXY" }, "ws", "127.0.0.1"))
    assert.equal("through", outcome({ ALL_PROXY = "PROXY" }, "wss", "localhost"))
    local both = { all_proxy = "http://127.0.0.1:1", http_proxy = "PROXY" }
    assert.equal("through", outcome(both, "ws", "127.0.0.1"))
    local empty = { http_proxy = "", all_proxy = "PROXY" }
    assert.equal("through", outcome(empty, "ws", "127.0.0.1"))
  end)

  it("takes a value without a scheme for that of an HTTP proxy", function()
    assert.equal("through", outcome({ http_proxy = "127.0.0.1:PORT" }, "ws", "127.0.0.1"))
    assert.equal("through", outcome({ https_proxy = "user:secret@127.0.0.1:PORT/" }, "wss", "localhost"))
  end)

  it("leaves HTTP_PROXY alone, which a CGI program has from its client", function()
    assert.equal("direct", outcome({ HTTP_PROXY = "PROXY" }, "ws", "127.0.0.1"))
  end)

  it("goes straight to what no_proxy lists", function()
    local function with(list, host)
      return outcome({ http_proxy = "PROXY", no_proxy = list }, "ws", host)
    end
    assert.equal("direct", with("localhost", "localhost"))
    assert.equal("direct", with("other.test, 127.0.0.1", "127.0.0.1"))
    assert.equal("direct", with("*", "localhost"))
    assert.equal("through", with("other.test,ocalhost", "localhost"))
    assert.equal("through", with("", "localhost"))
    assert.equal("through", with(".feed.test", "xfeed.test"))
    assert.equal("direct", with("10.0.0.0/8, 127.0.0.0/8", "127.0.0.1"))
    assert.equal("through", with("localhost:1", "localhost"))
    assert.equal("direct", outcome({ http_proxy = "PROXY", NO_PROXY = "LOCALHOST" }, "ws", "localhost"))
  end)

  it("goes straight on when nothing is set", function()
    assert.equal("direct", outcome({}, "ws", "127.0.0.1"))
  end)

  it("fails with kind proxy when the variable is no URL of a proxy, which it names", function()
    local text = "proxy: the proxy in %s cannot be used: the URL %s"
    assert.equal(text:format("http_proxy", "has a port that is not a number"),
      outcome({ http_proxy = "user:secret@h:x" }, "ws", "127.0.0.1"))
    assert.equal(text:format("all_proxy", 'has the scheme "socks", which is not known: known are http, https, '
      .. "socks5 and socks5h"), outcome({ all_proxy = "socks://h:1080/" }, "ws", "127.0.0.1"))
    assert.equal(text:format("WSS_PROXY", "has a path, which the URL of a proxy cannot have"),
      outcome({ WSS_PROXY = "http://h:1/secret" }, "wss", "localhost"))
  end)
end)

describe("without the option, a proxy", function()
  it("is not taken from the environment", function()
    local all = {}
    for _, name in ipairs(NAMES) do
      all[name] = not name:lower():find "^no" and "PROXY" or nil
    end
    assert.equal("direct", outcome(all, "ws", "127.0.0.1", "none"))
    assert.equal("direct", outcome(all, "wss", "localhost", "none"))
  end)

  it("that the option names is used whatever the environment says", function()
    local proxy = "http://127.0.0.1:%d"
    local port = free_port()
    local result = child.run(CHILD, {
      tostring(port), "ws", "localhost", proxy:format(port), certs.good.cert, certs.good.key, certs.ca,
    }, { under = "env http_proxy=http://127.0.0.1:1 no_proxy=localhost" })
    assert.equal("through", result.out, result.err)
  end)
end)
