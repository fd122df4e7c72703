local Peer = require "support.peer"
local Proxy = require "support.proxy"
local WebSocket = require "steadysocket"
local certs = require "support.certs"
local cost = require "support.cost"
local files = require "support.files"
local turn = require "support.turn"
local watched = require "support.watched"

local SOON = 0.5 -- seconds; a failure that needs no server is there much sooner

local folder

local function path(name)
  return folder .. "/" .. name
end

-- A message each way.
local function talk(client, conn)
  client:await "opens"
  conn:text "from the server"
  assert.same({ data = "from the server", kind = "text" }, client:await("messages"))
  assert.is_true(client.ws:send "from the client")
  assert.equal("from the client", conn:receive_text())
end

-- What an attempt fails with, which has to be soon.
local function failure(options)
  options.name, options.reconnect = "prices", false
  local client = watched.new(options)
  local spent, event = cost.of(function()
    assert(client.ws:connect())
    return client:await "errors"
  end)
  cost.expect(spent.seconds, 0, SOON)
  client:await_status "closed"
  return event.kind, event.message:match "^prices: (.*)$"
end

describe("A server at a socket of this machine", function()
  setup(function() folder = files.new_folder "socket" end)
  teardown(function() os.execute("rm -rf " .. folder) end)
  after_each(function()
    watched.end_all()
    os.execute(("rm -f %s/*"):format(folder))
  end)

  it("is reached by ws+unix:PATH:REQUEST", function()
    local server = Peer.listen { path = path "s" }
    for request, sent in pairs {
      [":/chat?a=b:c"] = "/chat?a=b:c", [":/"] = "/", [""] = "/", [":"] = "/", ["?q"] = "/?q", [":/a/:b"] = "/a/:b",
    } do
      local client = watched.connect { url = "ws+unix:" .. path "s" .. request }
      local conn = server:welcome()
      assert.equal(sent, conn.asked.path)
      assert.equal("localhost", conn.asked.headers.host)
      talk(client, conn)
      assert.equal(path "s", client.opens[1].address)
      assert.equal(("ws+unix:%s:%s"):format(path "s", sent), client.opens[1].url)
    end
  end)

  it("is reached with an empty authority too, and with escapes in its path", function()
    local server = Peer.listen { path = path "a b:c?d" }
    local client = watched.connect { url = "WS+UNIX://" .. path "a%20b%3Ac%3fd" .. ":/x" }
    local conn = server:welcome()
    assert.equal("/x", conn.asked.path)
    talk(client, conn)
    assert.equal(path "a b:c?d", client.opens[1].address)
  end)

  it("may speak TLS, with a certificate for localhost or tls.server_name", function()
    local server = Peer.listen { path = path "s", tls = certs.good }
    local client = watched.connect { url = server.url .. "x", tls = { ca_file = certs.ca } }
    talk(client, server:welcome())
    assert.equal(server.url .. "x", client.opens[1].url)
    local other = Peer.listen { path = path "o", tls = certs.wrong_host }
    client = watched.connect { url = other.url, tls = { ca_file = certs.ca, server_name = "other.example" } }
    talk(client, other:welcome())
    client = watched.connect { url = other.url, tls = { ca_file = certs.ca }, reconnect = false }
    other:accept()
    assert.equal("tls", client:await("errors").kind)
  end)

  it("is reconnected to, and needs no proxy, no connect_to and no local address", function()
    local server = Peer.listen { path = path "s" }
    local client = watched.connect {
      url = server.url, proxy = "http://127.0.0.1:1", connect_to = "127.0.0.1:1", local_address = "192.0.2.1",
    }
    server:welcome():cut()
    talk(client, server:welcome())
    assert.equal(2, #client.opens)
  end)

  it("may redirect, to itself and to a host", function()
    local server, other = Peer.listen { path = path "s" }, Peer.listen()
    local client = watched.connect {
      url = server.url .. "a/b", redirects = 2, headers = { Authorization = "t" },
    }
    local function redirect(to)
      local conn = server:accept()
      conn:request()
      conn:reply("HTTP/1.1 302 Found", { ["Location"] = to, ["Content-Length"] = "0" })
      return conn
    end
    redirect "../c"
    local conn = redirect(other.url)
    assert.equal("/c", conn.asked.path)
    assert.equal("t", conn.asked.headers.authorization)
    conn = other:welcome()
    assert.is_nil(conn.asked.headers.authorization)
    talk(client, conn)
  end)

  it("takes any number of messages of any size", function()
    local server = Peer.listen { path = path "s" }
    local client = watched.connect { url = server.url }
    local conn = server:welcome()
    client:await "opens"
    local large = ("x"):rep(1 << 20)
    for _ = 1, 8 do client.ws:send(large, "binary") end
    for _ = 1, 8 do assert.equal(large, conn:receive_binary()) end
  end)

  it("that is not there is unreachable, and the message names the path", function()
    local kind, message = failure { url = "ws+unix:" .. path "none" .. ":/x" }
    assert.equal("unreachable", kind)
    assert.equal(("ws+unix:%s:/x: there is no socket %s: the server does not run, or has another path"):format(
      path "none", path "none"), message)
  end)

  it("that does not listen is refused", function()
    local server = Peer.listen { path = path "s" }
    server:close()
    local kind, message = failure { url = "ws+unix:" .. path "s" }
    assert.equal("refused", kind)
    assert.equal(("ws+unix:%s:/: connection refused: nothing listens on the socket %s"):format(path "s",
      path "s"), message)
  end)

  it("that is a file is unreachable", function()
    files.write(path "file", "")
    local kind, message = failure { url = "ws+unix:" .. path "file" }
    assert.equal("unreachable", kind)
    assert.equal(("ws+unix:%s:/: %s is no socket"):format(path "file", path "file"), message)
  end)

  it("of another kind is unreachable", function()
    local datagrams = require "socket.unix".dgram()
    assert(datagrams:bind(path "d"))
    local kind, message = failure { url = "ws+unix:" .. path "d" }
    datagrams:close()
    assert.equal("unreachable", kind)
    assert.matches("the socket /[^ ]*/d cannot be reached: protocol wrong type for socket", message)
  end)

  it("that is there later is found by a later attempt", function()
    local client = watched.connect { url = "ws+unix:" .. path "late" }
    client:await "errors"
    local server = Peer.listen { path = path "late" }
    talk(client, server:welcome())
  end)

  it("has a path that is as long as the system takes, and no longer", function()
    local longest = path(("x"):rep(107 - #path ""))
    local server = Peer.listen { path = longest }
    talk(watched.connect { url = server.url }, server:welcome())
    assert.error_matches(function() WebSocket.new("ws+unix:" .. longest .. "y:/") end,
      "not a WebSocket URL: the URL has the path of a socket with over %d+ bytes")
    local client = watched.connect { url = function() return "ws+unix:/" .. ("x"):rep(200) end }
    local event = client:await "errors"
    assert.equal("provider", event.kind)
    assert.matches("has the path of a socket with over %d+ bytes", event.message)
  end)
end)

describe("connect_to", function()
  after_each(function()
    watched.end_all()
    Proxy.close_all()
  end)

  it("is dialled, while URL and Host stay", function()
    for _, address in ipairs { "127.0.0.1", "::1" } do
      local server = Peer.listen { address = address }
      local place = (address == "::1" and "[::1]:%d" or "%s:%d"):format(address == "::1" and server.port or address,
        server.port)
      local client = watched.connect { url = "ws://no-such-host.invalid:8080/x", connect_to = place }
      local conn = server:welcome()
      assert.equal("no-such-host.invalid:8080", conn.asked.headers.host)
      talk(client, conn)
      assert.equal("ws://no-such-host.invalid:8080/x", client.opens[1].url)
      assert.equal(address, client.opens[1].address)
    end
  end)

  it("may be a name", function()
    local server = Peer.listen()
    local client = watched.connect { url = "ws://127.0.0.9:1/", connect_to = "localhost:" .. server.port }
    talk(client, server:welcome())
  end)

  it("leaves the name that the certificate has to have", function()
    local server = Peer.listen { tls = certs.wrong_host }
    local place = "127.0.0.1:" .. server.port
    local client = watched.connect {
      url = "wss://other.example/", connect_to = place, tls = { ca_file = certs.ca },
    }
    talk(client, server:welcome())
    client = watched.connect { url = "wss://third.example/", connect_to = place, tls = { ca_file = certs.ca } }
    server:accept()
    assert.matches('certificate is for "other.example", not for "third.example"', client:await("errors").message)
  end)

  it("is what a proxy is asked for", function()
    local proxy, server = Proxy.listen(), Peer.listen()
    local client = watched.connect {
      url = "ws://no-such-host.invalid/", connect_to = "127.0.0.1:" .. server.port, proxy = proxy.url,
    }
    talk(client, server:welcome())
    assert.equal("127.0.0.1:" .. server.port, proxy.requests[1].target)
  end)

  it("is not for a server that a redirect leads to", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect {
      url = "ws://a.invalid/", connect_to = "127.0.0.1:" .. first.port, redirects = 2,
    }
    for _, to in ipairs { "/next", second.url } do
      local conn = first:accept()
      conn:request()
      conn:reply("HTTP/1.1 302 Found", { ["Location"] = to, ["Content-Length"] = "0" })
    end
    talk(client, second:welcome())
  end)

  it("is named where nothing listens, or where it does not resolve", function()
    local server = Peer.listen()
    server:close()
    local url = "ws://h.invalid/"
    local kind, message = failure { url = url, connect_to = "127.0.0.1:" .. server.port }
    assert.equal("refused", kind)
    assert.equal(("%s: connection refused: nothing listens on 127.0.0.1:%d, as connect_to has it"):format(url,
      server.port), message)
  end)

  it("is a host and a port", function()
    for _, text in ipairs {
      "", "h", "h:", ":80", "h:0", "h:65536", "h:x", "ws://h:80", "h:80/", "h:80/x", "u@h:80", "h:80?x", "::1:80",
      "[::1]", "[::1:80", "a b:80", "h:80\0", "h\0:80", "h\n:80",
    } do
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", connect_to = text })
      assert.is_false(ok, text)
      assert.matches("option 'connect_to' ", message)
    end
    assert.error_matches(function() WebSocket.new { url = "ws://h/", connect_to = "h" } end,
      "option 'connect_to' is not of the form host:port")
    for _, text in ipairs { "h:80", "1.2.3.4:1", "[::1]:65535", "a.b-c_d:8080" } do
      WebSocket.new { url = "ws://h/", connect_to = text }
    end
  end)
end)

describe("local_address", function()
  after_each(watched.end_all)

  it("is where connections come from", function()
    for _, case in ipairs { { "127.0.0.1", "127.0.0.77" }, { "::1", "::1" } } do
      local server = Peer.listen { address = case[1] }
      local client = watched.connect { url = server.url, local_address = case[2] }
      local conn = server:welcome()
      assert.equal(case[2], (conn.raw:getpeername()))
      talk(client, conn)
    end
  end)

  it("takes no port of its own for each connection", function()
    local server = Peer.listen()
    local clients = {}
    local spent = cost.of(function()
      for i = 1, 200 do clients[i] = watched.connect { url = server.url, local_address = "127.0.0.1" } end
      for _ = 1, 200 do server:welcome() end
      for i = 1, 200 do clients[i]:await "opens" end
    end)
    cost.expect(spent.seconds, 0, 3)
    assert(spent.cpu < 2, spent.cpu)
  end)

  it("that is not of this machine is a failure that says so", function()
    local server = Peer.listen()
    for _, address in ipairs { "192.0.2.1", "8.8.8.8" } do
      local kind, message = failure { url = server.url, local_address = address }
      assert.equal("network", kind)
      assert.equal(("%s: no connection from local_address %s: it is no address of this machine, or has no port left")
        :format(server.url, address), message)
    end
    assert.equal(0, server:arrivals())
  end)

  it("of another family than the server's is a failure that says so", function()
    local server = Peer.listen()
    local kind, message = failure { url = server.url, local_address = "::1" }
    assert.equal("network", kind)
    assert.equal(("%s: no connection from local_address ::1 to 127.0.0.1, which has no address of that family")
      :format(server.url), message)
  end)

  it("leaves the addresses of its family of a name", function()
    local server = Peer.listen()
    local client = watched.connect { url = "ws://localhost:" .. server.port, local_address = "127.0.0.3" }
    local conn = server:welcome()
    assert.equal("127.0.0.3", (conn.raw:getpeername()))
    talk(client, conn)
  end)

  it("is an address", function()
    for _, text in ipairs {
      "", "eth0", "localhost", "127.0.0.1:80", "127.0.0", "[::1]", ":", "1.2.3.4 ", "::1\0", "%lo", ("1"):rep(200),
      "fe80::1%" .. ("x"):rep(200),
    } do
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", local_address = text })
      assert.is_false(ok, text)
      assert.matches("option 'local_address' ", message)
    end
    for _, text in ipairs { "127.0.0.1", "::", "0.0.0.0", "fe80::1%lo", "2001:db8::1" } do
      WebSocket.new { url = "ws://h/", local_address = text }
    end
  end)

  it("leaves nothing behind, however often it fails", function()
    local client = watched.connect {
      url = "ws://127.0.0.1:1/", local_address = "192.0.2.1", reconnect = { min_delay = 0, max_delay = 0 },
    }
    client:await("errors", 10)
    local spent = cost.of(function()
      turn.till(function() return #client.errors >= 300 end, "300 failures", 20)
    end)
    assert.is_true(spent.descriptors <= 1, spent.descriptors)
  end)
end)
