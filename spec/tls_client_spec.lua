local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local certs = require "support.certs"
local watched = require "support.watched"

-- A server that demands a certificate of our authority.
local function demanding()
  return Peer.listen { tls = { cert = certs.good.cert, key = certs.good.key, client_ca = certs.ca } }
end

local function set_out(server, tls)
  tls.ca_file = tls.ca_file or certs.ca
  return watched.connect { url = server.url, name = "prices", tls = tls }
end

local function talk(client, conn)
  client:await "opens"
  client.ws:send "from the client"
  assert.equal("from the client", conn:receive_text())
  conn:text "from the server"
  assert.equal("from the server", client:await("messages").data)
  assert.same({}, client.errors)
end

local function copy(path)
  local from <close> = assert(io.open(path))
  local name = os.tmpname()
  local to <close> = assert(io.open(name, "w"))
  to:write(from:read "a")
  return name
end

local CLIENT = { cert_file = certs.client.cert, key_file = certs.client.key }
local LOCKED = { cert_file = certs.client_locked.cert, key_file = certs.client_locked.key }

local function with(base, changes)
  local tls = {}
  for name, value in pairs(base) do tls[name] = value end
  for name, value in pairs(changes or {}) do tls[name] = value end
  return tls
end

describe("a client certificate", function()
  after_each(function()
    Server.stop_all()
    watched.end_all()
  end)

  it("is shown to a server that demands one", function()
    local server = demanding()
    local client = set_out(server, with(CLIENT))
    local conn = server:welcome()
    talk(client, conn)
    assert.equal("spec client", conn.socket:getpeercertificate():subject()[1].value)
  end)

  it("is shown on each connection", function()
    local server = demanding()
    local client = set_out(server, with(CLIENT))
    for round = 1, 3 do
      local conn = server:welcome()
      client:await("opens", round)
      conn:reset()
    end
    assert.same({}, client.errors)
  end)

  it("may have a key with a password", function()
    local server = demanding()
    talk(set_out(server, with(LOCKED, { key_password = certs.client_locked.password })), server:welcome())
  end)

  it("is for a real server as well", function()
    local server = Server.start {
      tls = { cert = certs.good.cert, key = certs.good.key, client_ca = certs.ca },
    }
    local client = watched.connect { url = server:url(), tls = with(CLIENT, { ca_file = certs.ca }) }
    client:await "opens"
    client.ws:send "hello"
    assert.equal("hello", client:await("messages").data)
  end)

  it("harms nothing where none is demanded", function()
    local server = Peer.listen { tls = certs.good }
    talk(set_out(server, with(CLIENT)), server:welcome())
  end)

  it("that is missing is an error of kind tls", function()
    local server = demanding()
    local client = set_out(server, {})
    local conn = server:accept()
    assert.is_nil(conn)
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    local beginning = ("prices: %s: the TLS handshake failed: the server says "):format(server.url)
    assert.equal(beginning, event.message:sub(1, #beginning))
    assert.is_true(event.will_reconnect)
    assert.same({}, client.opens)
  end)

  it("of another authority is an error of kind tls", function()
    local server = demanding()
    local client = set_out(server, {
      cert_file = certs.self_signed.cert,
      key_file = certs.self_signed.key,
    })
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    assert.truthy(event.message:find("the TLS handshake failed: the server says ", 1, true), event.message)
  end)

  local FAULTS = {
    {
      "a wrong password", with(LOCKED, { key_password = "hunter2" }),
      ('tls.key_file "%s" cannot be used with this tls.key_password: '):format(LOCKED.key_file),
    },
    {
      "no password", with(LOCKED),
      ('tls.key_file "%s" cannot be used: it is locked, and needs tls.key_password'):format(LOCKED.key_file),
    },
    {
      "no certificate file", with(CLIENT, { cert_file = "/no/such/cert.pem" }),
      'tls.cert_file "/no/such/cert.pem" cannot be used: No such file or directory',
    },
    {
      "no key file", with(CLIENT, { key_file = "/no/such/key.pem" }),
      'tls.key_file "/no/such/key.pem" cannot be used: No such file or directory',
    },
    {
      "a certificate file that is a key", with(CLIENT, { cert_file = certs.client.key }),
      ('tls.cert_file "%s" cannot be used: '):format(certs.client.key),
    },
    {
      "a key file that is a certificate", with(CLIENT, { key_file = certs.client.cert }),
      ('tls.key_file "%s" cannot be used: '):format(certs.client.cert),
    },
    {
      "the key of another certificate", with(CLIENT, { key_file = certs.good.key }),
      ('tls.key_file "%s" cannot be used: '):format(certs.good.key),
    },
    {
      "no authority file", { ca_file = "/no/such/ca.pem" },
      'tls.ca_file "/no/such/ca.pem" cannot be used: No such file or directory',
    },
    {
      "an authority file that is a folder", { ca_file = "/tmp" },
      'tls.ca_file "/tmp" cannot be used: Is a directory',
    },
  }
  for _, fault in ipairs(FAULTS) do
    local what, tls, text = table.unpack(fault)
    it("with " .. what .. " is an error that names the option, and the session goes on", function()
      local server = demanding()
      local client = set_out(server, with(tls))
      for number = 1, 2 do
        local event = client:await("errors", number)
        assert.equal("tls", event.kind)
        local beginning = ("prices: %s: %s"):format(server.url, text)
        assert.equal(beginning, event.message:sub(1, #beginning))
        assert.is_true(#event.message > #beginning or not text:find ": $", "it does not say why")
        assert.is_nil(event.message:find("hunter2", 1, true))
        assert.is_true(event.will_reconnect)
      end
      assert.equal(0, server:arrivals())
    end)
  end

  it("works once its file is there", function()
    local server = demanding()
    local key = os.tmpname()
    os.remove(key)
    local client = set_out(server, with(CLIENT, { key_file = key }))
    client:await "errors"
    os.rename(copy(CLIENT.key_file), key)
    server:welcome()
    client:await "opens"
    os.remove(key)
  end)

  it("needs both of cert_file and key_file, and a password a key", function()
    local function refused(tls, text)
      assert.error_matches(function() WebSocket.new { url = "wss://h/", tls = tls } end, text, 1, true)
    end
    refused({ cert_file = "c" }, "tls.cert_file and tls.key_file go together")
    refused({ key_file = "k" }, "tls.cert_file and tls.key_file go together")
    refused({ key_password = "p" }, "tls.key_password is of no use without tls.key_file")
  end)

  it("is not looked at for ws://", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, tls = { ca_file = "/no/such/ca.pem" } }
    server:welcome()
    client:await "opens"
  end)
end)

describe("TLS options", function()
  after_each(watched.end_all)

  it("that are the same are read once for all clients that have them", function()
    local server = Peer.listen { tls = certs.good }
    local ca = copy(certs.ca)
    local first = set_out(server, { ca_file = ca })
    talk(first, server:welcome())
    os.remove(ca)
    local second = set_out(server, { ca_file = ca })
    talk(second, server:welcome())

    -- The last one to go takes them along.
    for _, client in ipairs { first, second } do client.ws:close() end
    for _, conn in ipairs(server.all) do
      conn:receive_close()
      conn:close(1000)
      conn:finish()
    end
    first:await_status "closed"
    second:await_status "closed"
  end)

  it("that differ are kept apart", function()
    local server = demanding()
    local with_one = set_out(server, with(CLIENT))
    talk(with_one, server:welcome())
    local without = set_out(server, {})
    assert.equal("tls", without:await("errors").kind)
    without.ws:close()
    local distrusting = set_out(server, with(CLIENT, { ca_file = certs.unknown.ca }))
    assert.truthy(distrusting:await("errors").message:find("unknown authority", 1, true))
    distrusting.ws:close()
    local locked = with(LOCKED, { key_password = certs.client_locked.password })
    local another = set_out(server, locked)
    local conn
    repeat
      conn = server:accept() -- or nil, for the two whose handshakes failed
    until conn
    conn:upgrade()
    talk(another, conn)
    assert.same({}, with_one.closes)
  end)
end)
