-- SOCKS 5 proxies, as a client sees them. core/socks_spec has the bytes.

local Peer = require "support.peer"
local Proxy = require "support.proxy"
local Socks = require "support.socks"
local child = require "support.child"
local cost = require "support.cost"
local preload = require "support.preload"
local proxied = require "support.proxied"
local watched = require "support.watched"
local WebSocket = require "steadysocket"

local TRANSPORTS, end_all, set_out = proxied.TRANSPORTS, proxied.end_all, proxied.set_out
local talk, fails = proxied.talk, proxied.fails

for scheme in pairs(TRANSPORTS) do
  describe(scheme .. " through a SOCKS proxy", function()
    after_each(end_all)

    it("works as without one", function()
      local proxy = Socks.listen()
      local client, server = set_out(proxy, scheme)
      talk(client, server:welcome())
      assert.equal("\5\1\0", proxy.greetings[1])
      assert.equal("127.0.0.1:" .. server.port, proxy.requests[1].target)
      assert.equal("127.0.0.1", client.opens[1].address)
    end)

    it("works when each byte of its answers comes alone", function()
      local proxy = Socks.listen { user = "u", password = "p", pieces = 100 }
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "u:p" })
      talk(client, server:welcome())
    end)

    it("logs in", function()
      local proxy = Socks.listen { user = "us@er:x", password = "pass/w" }
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "us%40er%3Ax:pass%2Fw" })
      talk(client, server:welcome())
      assert.equal("\5\2\0\2", proxy.greetings[1])
    end)

    it("is told nothing of user and password unless it asks", function()
      local proxy = Socks.listen()
      local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "user:secret" })
      talk(client, server:welcome())
    end)

    it("that dribbles or is silent does not hold an attempt for longer than connect_timeout", function()
      local silent_in = { method = {}, login = {}, reply = {} }
      for step, options in pairs(silent_in) do
        options.user, options.password, options.silent = "u", "p", step
      end
      silent_in.dribbling = { user = "u", password = "p", interval = 0.05 }
      for _, options in pairs(silent_in) do
        local proxy = Socks.listen(options)
        local spent = cost.of(function()
          local client, server = set_out(proxy, scheme, { proxy = proxy:url_with "u:p", connect_timeout = 0.3 })
          -- The proxy that dribbles has reached the server.
          fails(client, options.silent and server or nil,
            ("no connection through the proxy %s within 0.3 s"):format(proxy.url), "timeout")
        end)
        cost.expect(spent.seconds, 0.29, 0.8)
        assert.is_true(spent.cpu < 0.3 or child.keeps_what_is_freed(), spent.cpu .. " s of CPU")
      end
    end)
  end)
end

describe("a SOCKS proxy", function()
  after_each(end_all)

  it("of socks5h resolves the server's name; the client does not", function()
    local proxy = Socks.listen { resolves = true, hosts = { ["feed.test"] = "127.0.0.1" } }
    local client, server = set_out(proxy, "ws", { url = "ws://feed.test:PORT/path" })
    local conn = server:welcome()
    talk(client, conn)
    assert.equal("feed.test:" .. server.port, proxy.requests[1].target)
    assert.equal("feed.test:" .. server.port, conn.asked.headers.host)
  end)

  it("of socks5h gets a literal address as what it is", function()
    local proxy = Socks.listen { resolves = true }
    local client, server = set_out(proxy, "ws")
    talk(client, server:welcome())
    assert.equal("127.0.0.1", proxy.requests[1].host)
    assert.equal(1, proxy.requests[1].type)
  end)

  it("of socks5 does not get a name, and one that does not resolve never reaches it", function()
    local proxy = Socks.listen()
    local client, server = set_out(proxy, "ws", { url = "ws://no-such-host.invalid:PORT/" })
    local event = client:await("errors", 1, 20)
    assert.equal("dns", event.kind)
    assert.truthy(event.message:find('cannot resolve "no-such-host.invalid": ', 1, true), event.message)
    assert.equal(0, proxy.accepted)
    assert.equal(0, server:arrivals())
  end)

  it("may reach an IPv6 address, and have one", function()
    local proxy = Socks.listen { address = "::1" }
    local server = Peer.listen { address = "::1" }
    local client = watched.connect { url = server.url, proxy = proxy.url }
    talk(client, server:welcome())
    assert.equal("0:0:0:0:0:0:0:1", proxy.requests[1].host)
    assert.equal("::1", client.opens[1].address)
  end)

  it("is asked for what connect_to names, while the Host header stays", function()
    for _, resolves in ipairs { false, true } do
      local proxy, server = Socks.listen { resolves = resolves }, Peer.listen()
      local client = watched.connect {
        url = "ws://feed.test/",
        connect_to = "127.0.0.1:" .. server.port,
        proxy = proxy.url,
      }
      local conn = server:welcome()
      client:await "opens"
      assert.equal("127.0.0.1:" .. server.port, proxy.requests[1].target)
      assert.equal("feed.test", conn.asked.headers.host)
    end
  end)

  it("is asked again on each attempt", function()
    local proxy = Socks.listen()
    local client, server = set_out(proxy, "ws")
    server:welcome()
    client:await "opens"
    client.ws:reconnect()
    server:welcome()
    client:await("opens", 2)
    assert.equal(2, #proxy.requests)
  end)

  it("that refuses is told of by the meaning of its code", function()
    local codes = { -- core/socks_spec has the others
      [2] = "its rules do not allow that",
      [99] = "it gives the code 99, which SOCKS 5 does not know",
    }
    for code, text in pairs(codes) do
      local proxy = Socks.listen { refuses = { ["127.0.0.1"] = code } }
      local client, server = set_out(proxy, "ws")
      fails(client, server, ("the proxy %s refused to connect to 127.0.0.1:%d: %s"):format(
        proxy.url, server.port, text))
    end
  end)

  it("that does not let us in is told of, without the password", function()
    local proxy = Socks.listen { user = "user", password = "right" }
    local text = "the proxy %s refused to connect to 127.0.0.1:%d: %s"
    local client, server = set_out(proxy, "ws", { proxy = proxy:url_with "user:secret" })
    fails(client, server, text:format(proxy.url, server.port, "it does not accept this user and password"))
    client, server = set_out(proxy, "ws")
    fails(client, server, text:format(proxy.url, server.port,
      "it wants to be logged in to, and the proxy's URL may name user:password"))
  end)

  it("that is none, or is cut, is told of", function()
    for text, answers in pairs {
      ["it answers in HTTP: an HTTP proxy's URL begins with http://"] = { method = "HTTP/1.0 400 Bad\r\n\r\n" },
      ["it answers as SOCKS 4 does, and SOCKS 5 is needed"] = { method = "\0\x5B\0\0\0\0\0\0" },
      ["it answers with version 7, and SOCKS 5 is needed"] = { reply = "\7\0\0\1\0\0\0\0\0\0" },
      ["its reply has the address type 2, which SOCKS 5 does not know"] = { reply = "\5\0\0\2\0\0\0\0\0\0" },
      ["it ended the connection instead of an answer to the greeting"] = { method = "" },
      ["it ended the connection in the middle of an answer"] = { reply = "\5\0\0\1\0\0" },
      ["it ended the connection instead of a reply to CONNECT"] = { reply = "" },
    } do
      local proxy = Socks.listen { answers = answers }
      local client, server = set_out(proxy, "ws")
      fails(client, server, ("the proxy %s cannot be used: %s"):format(proxy.url, text))
    end
  end)

  it("and an HTTP proxy that are taken for each other are told of", function()
    local http = Proxy.listen { answer = "HTTP/1.1 400 Bad Request\r\n\r\n" }
    http.options.converse = function(proxy, tunnel) -- it does not wait for the end of a request
      if tunnel.inbound == "" then return end
      proxy:say(tunnel, proxy.options.answer)
      tunnel.asked, tunnel.over = true, true
    end
    local as_socks = http.url:gsub("^http", "socks5h")
    local client, server = set_out(nil, "ws", { proxy = as_socks })
    fails(client, server, ("the proxy %s cannot be used: it answers in HTTP: an HTTP proxy's URL "
      .. "begins with http://"):format(as_socks))

    http.options.answer = "\5\xFF" -- and leaves the connection open
    local wait = http.options.converse
    http.options.converse = function(proxy, tunnel)
      wait(proxy, tunnel)
      tunnel.over = false
    end
    client, server = set_out(nil, "ws", { proxy = http.url })
    fails(client, server, ("the proxy %s answers as a SOCKS proxy does, whose URL begins with "
      .. "socks5:// or socks5h://"):format(http.url))
  end)

  it("that is down is an error that names it and not its password", function()
    local proxy = Socks.listen()
    proxy:close()
    local client, server = set_out(proxy, "ws", { proxy = proxy:url_with "user:secret" })
    fails(client, server, ("the proxy %s cannot be reached: connection refused"):format(proxy.url))
  end)

  it("may send its reply and what the server says in one segment", function()
    local reply, teapot = "\5\0\0\1\0\0\0\0\0\0", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"
    local proxy = Socks.listen { accepts = reply .. teapot }
    local client = set_out(proxy, "ws")
    local event = client:await "errors"
    assert.equal("http", event.kind)
    assert.equal(418, event.http_status)
  end)
end)

describe("of a server's addresses a SOCKS proxy", function()
  teardown(preload.remove_all)

  -- In a process of its own, where two.example is ::1, then 127.0.0.1.
  local function run(code)
    local environment = preload.environment "names"
    if not environment then return nil end
    return child.run([[
      local Peer = require "support.peer"
      local Socks = require "support.socks"
      local watched = require "support.watched"
      local server = Peer.listen()
      local function connect(proxy)
        return watched.connect { url = ("ws://two.example:%d/"):format(server.port), proxy = proxy.url }
      end
      local function hosts(proxy)
        local list = {}
        for _, request in ipairs(proxy.requests) do list[#list + 1] = request.host end
        return table.concat(list, " ")
      end
    ]] .. code, {}, { environment = environment })
  end

  it("gets the next one where it could not reach the one before", function()
    local result = run [[
      local proxy = Socks.listen()
      local client = connect(proxy)
      server:welcome()
      client:await "opens"
      print(hosts(proxy), proxy.accepted, #client.errors, client.ws:stats().attempts)
      os.exit(0)
    ]]
    if not result then return pending "a C compiler is missing" end
    assert.equal("", result.err)
    assert.equal("0:0:0:0:0:0:0:1 127.0.0.1\t2\t0\t1\n", result.out)
  end)

  it("gets no other where it does not allow the first, or the log-in", function()
    local result = run [[
      local proxy = Socks.listen { refuses = { ["0:0:0:0:0:0:0:1"] = 2 } }
      local client = connect(proxy)
      print(client:await("errors").message:match "refused to connect to (.*)":gsub("%d%d%d+", "PORT"), hosts(proxy))
      os.exit(0)
    ]]
    if not result then return pending "a C compiler is missing" end
    assert.equal("", result.err)
    assert.equal("two.example:PORT: its rules do not allow that\t0:0:0:0:0:0:0:1\n", result.out)
  end)
end)

describe("a SOCKS proxy's URL", function()
  it("is refused where its user and password do not fit", function()
    for _, credentials in ipairs { "user", "user:", (":secret"), ("u"):rep(256) .. ":secret" } do
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", proxy = "socks5://" .. credentials .. "@h" })
      assert.is_false(ok)
      assert.truthy(message:find("option 'proxy' is neither \"env\" nor the URL of a proxy: the URL has a user "
        .. "and a password of which one is empty or longer than 255 bytes", 1, true), message)
      assert.is_nil(message:find("secret", 1, true))
    end
  end)
end)
