local mime = require "mime"

local Peer = require "support.peer"
local certs = require "support.certs"
local files = require "support.files"
local cost = require "support.cost"
local turn = require "support.turn"
local watched = require "support.watched"

-- Reads the next request of a server and answers it with a redirect.
local function redirect(server, to, status, more)
  local conn = server:accept()
  conn:request()
  local headers = { ["Location"] = to, ["Content-Length"] = "0" }
  for name, value in pairs(more or {}) do headers[name] = value end
  conn:reply(("HTTP/1.1 %d Moved"):format(status or 302), headers)
  return conn
end

local function basic(text)
  return "Basic " .. mime.b64(text)
end

-- Of an attempt that fails: the one error it comes to, which is of kind http.
local function fails(client)
  local event = client:await "errors"
  assert.equal("http", event.kind)
  assert.equal(1, event.attempt)
  return event, event.message:match "^prices: (.*)$"
end

describe("A redirect", function()
  after_each(watched.end_all)

  for _, status in ipairs { 301, 302, 303, 307, 308 } do
    it(("with %d is followed, in one attempt"):format(status), function()
      local first, second = Peer.listen(), Peer.listen()
      local client = watched.connect({ url = first.url, redirects = 1 }, "hello")
      redirect(first, second.url .. "x?y", status)
      local conn = second:welcome()
      assert.equal("GET", conn.asked.method)
      assert.equal("/x?y", conn.asked.path)
      assert.equal(("127.0.0.1:%d"):format(second.port), conn.asked.headers.host)
      local event = client:await "opens"
      assert.equal(second.url .. "x?y", event.url)
      assert.equal(second.url .. "x?y", client.ws.url)
      assert.equal(1, event.attempt)
      assert.equal("hello", conn:receive_text())
      assert.equal("connecting on_open open", client:told())
      assert.equal(1, client.ws:stats().attempts)
    end)
  end

  for _, status in ipairs { 200, 300, 304, 305, 306, 309, 401 } do
    it(("is none with %d"):format(status), function()
      local first, second = Peer.listen(), Peer.listen()
      local client = watched.connect { url = first.url, redirects = 5, name = "prices" }
      redirect(first, second.url, status)
      local event = fails(client)
      assert.equal(status, event.http_status)
      assert.equal(0, second:arrivals())
    end)
  end

  it("is relative to where it comes from", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url .. "a/b/c?d", redirects = 9 }
    for _, step in ipairs {
      { "/a/b/c?d", "e?f" }, { "/a/b/e?f", "?g" }, { "/a/b/e?g", "../h/" }, { "/a/h/", "/i/./j" },
      { "/i/j", "http://127.0.0.1:" .. server.port }, { "/", "//127.0.0.1:" .. server.port .. "/k#l" },
    } do
      assert.equal(step[1], redirect(server, step[2]).asked.path)
    end
    assert.equal("/k", server:welcome().asked.path)
    assert.equal(server.url .. "k", client:await("opens").url)
  end)

  it("is followed at each attempt anew, from the URL that was given", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect { url = first.url, redirects = 1 }
    for round = 1, 3 do
      redirect(first, second.url)
      local conn = second:welcome()
      client:await("opens", round)
      assert.equal(round > 1, client.opens[round].reconnected)
      conn:cut()
    end
  end)

  it("has a key of its own, and the same headers, subprotocols and origin", function()
    local server = Peer.listen()
    watched.connect {
      url = server.url, redirects = 1, protocols = "chat", origin = "http://o", headers = { ["X-A"] = "b" },
    }
    local before = redirect(server, "/next").asked.headers
    local after = server:welcome({ protocol = "chat" }).asked.headers
    assert.not_equal(before["sec-websocket-key"], after["sec-websocket-key"])
    for _, name in ipairs { "sec-websocket-protocol", "origin", "x-a" } do
      assert.is_string(after[name])
      assert.equal(before[name], after[name])
    end
  end)

  describe("keeps", function()
    local SECRETS = { ["Authorization"] = "Bearer t", ["COOKIE"] = "a=b", ["X-Other"] = "c" }

    it("Authorization and Cookie on the same server", function()
      local server = Peer.listen()
      watched.connect { url = server.url, redirects = 1, headers = SECRETS }
      redirect(server, "/next")
      local headers = server:welcome().asked.headers
      assert.equal("Bearer t", headers.authorization)
      assert.equal("a=b", headers.cookie)
    end)

    it("neither on another port, nor when it comes back", function()
      local first, second = Peer.listen(), Peer.listen()
      watched.connect { url = first.url, redirects = 3, headers = SECRETS }
      redirect(first, second.url)
      local conn = redirect(second, first.url .. "again")
      assert.is_nil(conn.asked.headers.authorization)
      assert.is_nil(conn.asked.headers.cookie)
      assert.equal("c", conn.asked.headers["x-other"])
      local headers = first:welcome().asked.headers
      assert.is_nil(headers.authorization)
      assert.is_nil(headers.cookie)
      assert.equal("c", headers["x-other"])
    end)

    it("neither on another host", function()
      local server = Peer.listen()
      watched.connect { url = server.url, redirects = 3, headers = SECRETS }
      redirect(server, ("ws://localhost:%d/"):format(server.port))
      assert.is_nil(server:welcome().asked.headers.authorization)
    end)

    it("neither with another scheme", function()
      local plain, secure = Peer.listen(), Peer.listen { tls = certs.good }
      watched.connect { url = plain.url, redirects = 3, headers = SECRETS, tls = { ca_file = certs.ca } }
      redirect(plain, secure.url)
      assert.is_nil(secure:welcome().asked.headers.authorization)
    end)

    it("the URL's user and password on the same server, and there only", function()
      local first, second = Peer.listen(), Peer.listen()
      local client = watched.connect {
        url = first.url:gsub("//", "//me:secret@"), redirects = 3,
      }
      assert.equal(basic "me:secret", redirect(first, "/next").asked.headers.authorization)
      assert.equal(basic "me:secret", redirect(first, second.url).asked.headers.authorization)
      assert.is_nil(second:welcome().asked.headers.authorization)
      assert.is_nil(client:await("opens").url:find "secret")
    end)

    for form, tls in pairs {
      files = { ca_file = certs.ca, cert_file = certs.client.cert, key_file = certs.client.key },
      texts = { ca_file = certs.ca, cert = files.read(certs.client.cert), key = files.read(certs.client.key) },
    } do
      it("the client's certificate, from " .. form .. ", to itself on another server", function()
        local demanding = { cert = certs.good.cert, key = certs.good.key, client_ca = certs.ca }
        local first, second = Peer.listen { tls = demanding }, Peer.listen { tls = demanding }
        local client = watched.connect { url = first.url, redirects = 3, name = "prices", tls = tls }
        redirect(first, second.url)
        assert.is_nil((second:accept()))
        assert.equal("tls", client:await("errors").kind)
        assert.equal(second.url, client.errors[1].url)
        assert.is_nil(client.errors[1].http_status)
      end)
    end
  end)

  describe("is not followed, and told as http,", function()
    it("when the option is not set, or 0", function()
      for _, redirects in ipairs { false, 0 } do
        local first, second = Peer.listen(), Peer.listen()
        local client = watched.connect { url = first.url, redirects = redirects or nil, name = "prices" }
        redirect(first, second.url)
        local event, message = fails(client)
        assert.equal(("%s: the server answered 302 Moved, to %s; redirects are not followed, unless the option "
          .. "redirects allows it"):format(first.url, second.url), message)
        assert.equal(second.url, event.http_headers.location)
        assert.equal(0, second:arrivals())
      end
    end)

    it("when there are more than the option says", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url, redirects = 2, name = "prices" }
      redirect(server, "/1")
      redirect(server, "/2")
      redirect(server, "/3", 307)
      local event, message = fails(client)
      local u = server.url
      assert.equal(("%s2: the server answered 307 Moved, to %s3; that is one more than the option redirects allows; "
        .. "the way was %s, %s1, %s2"):format(u, u, u, u, u), message)
      assert.equal(307, event.http_status)
      assert.equal(u .. "2", event.url)
      assert.equal(3, server:arrivals())
    end)

    it("when it is a loop", function()
      local first, second = Peer.listen(), Peer.listen()
      local client = watched.connect { url = first.url, redirects = 20, name = "prices" }
      redirect(first, second.url)
      redirect(second, first.url)
      local _, message = fails(client)
      assert.equal(("%s: the server answered 302 Moved, to %s; that is a loop; the way was %s, %s")
        :format(second.url, first.url, first.url, second.url), message)
      client.ws:close()
      client = watched.connect { url = first.url, redirects = 20, name = "prices" }
      redirect(first, "")
      assert.matches("that is a loop", (select(2, fails(client))))
    end)

    it("when it goes from wss to ws", function()
      local secure, plain = Peer.listen { tls = certs.good }, Peer.listen()
      local client = watched.connect {
        url = secure.url, redirects = 5, name = "prices", tls = { ca_file = certs.ca },
      }
      redirect(secure, (plain.url:gsub("^ws", "http")))
      local _, message = fails(client)
      assert.matches("; a redirect from wss to ws is not followed, since all would be readable on the way$", message)
      assert.equal(0, plain:arrivals())
    end)

    it("when it leads nowhere", function()
      for location, why in pairs {
        ["ftp://h/"] = "has a scheme that is none of ws, wss, http and https",
        ["ws+unix:/tmp/socket:/"] = "has a scheme that is none of ws, wss, http and https",
        ["http://"] = "has no host",
        ["/a b\t"] = "has a blank, a control character or a non-ASCII one that is not percent-escaped",
      } do
        local server = Peer.listen()
        local client = watched.connect { url = server.url, redirects = 5, name = "prices" }
        redirect(server, location)
        local _, message = fails(client)
        assert.equal(('%s: the server answered 302 Moved, to "%s", which leads nowhere: the URL %s')
          :format(server.url, location:gsub("%s*$", ""), why), message)
        client.ws:close()
      end
    end)

    it("when it is a proxy's", function()
      local proxy, server = Peer.listen(), Peer.listen()
      local client = watched.connect {
        url = server.url, redirects = 5, proxy = proxy.url:gsub("^ws", "http"),
      }
      redirect(proxy, server.url)
      assert.equal("proxy", client:await("errors").kind)
      assert.equal(0, server:arrivals())
    end)
  end)

  it("does not give the attempt more time", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.new { url = first.url, redirects = 5, connect_timeout = 2 }
    local spent = cost.of(function()
      client.ws:connect()
      local conn = first:accept()
      conn:request()
      turn.never(function() return #client.errors > 0 end, "an early end", 1)
      conn:reply("HTTP/1.1 302 Found", { ["Location"] = second.url, ["Content-Length"] = "0" })
      second:accept():request() -- and nothing more
      local event = client:await "errors"
      assert.equal("timeout", event.kind)
      assert.equal(second.url, event.url)
    end)
    cost.expect(spent.seconds, 1.99, 2.9)
  end)

  it("whose answer has not ended when the time is up is not followed", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect { url = first.url, redirects = 5, connect_timeout = 0.2, name = "prices" }
    redirect(first, second.url, 302, { ["Content-Length"] = "10" })
    local event = fails(client)
    assert.equal(302, event.http_status)
    turn.never(function() return second:arrivals() > 0 end, "a connection", 0.05)
  end)

  it("that ends in a refusal holds back the URL that was given", function()
    local first, second, other = Peer.listen(), Peer.listen(), Peer.listen()
    local client = watched.connect { url = { first.url, other.url }, redirects = 1 }
    redirect(first, second.url)
    local conn = second:accept()
    conn:request()
    conn:reply("HTTP/1.1 503 Busy", { ["Retry-After"] = "60", ["Connection"] = "close" })
    conn:finish()
    assert.equal(second.url, client:await("errors").url)
    conn = other:welcome()
    client:await "opens"
    conn:cut()
    other:welcome()
    client:await("opens", 2)
    assert.equal(1, first:arrivals())
  end)

  it("costs next to no time, however many there are", function()
    local server = Peer.listen()
    local client = watched.new { url = server.url, redirects = 20 }
    local spent = cost.of(function()
      client.ws:connect()
      for number = 1, 20 do redirect(server, "/" .. number):finish() end
      server:welcome()
      client:await "opens"
    end)
    assert.equal("/20", client.ws.url:match "/%d+$")
    assert(spent.cpu < 1, spent.cpu)
    for _, conn in ipairs(server.all) do conn:cut() end
  end)

  it("can be cut short by close and by reconnect", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect { url = first.url, redirects = 5 }
    redirect(first, second.url)
    second:accept():request()
    client.ws:reconnect()
    redirect(first, second.url)
    second:accept():request()
    client.ws:close()
    client:await_status "closed"
    assert.equal(0, #client.errors)
  end)
end)
