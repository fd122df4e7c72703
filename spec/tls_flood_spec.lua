-- What a server can do to a client by TLS alone, and what that costs: support/rude_tls.c floods it.

local OpensslServer = require "support.openssl_server"
local Peer = require "support.peer"
local certs = require "support.certs"
local child = require "support.child"
local compiled = require "support.compiled"
local cost = require "support.cost"
local files = require "support.files"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"

local LONGEST_TURN = child.sanitized() and 0.1 or 0.02 -- seconds of CPU
local TIMEOUT = 1

local FAILED = "the TLS handshake failed: "
local TOO_MUCH = "the TLS handshake failed: the server sends too much before its handshake is done"
local TOO_MANY = "the TLS session failed: the server sends too many messages that carry no data"
local UNEXPECTED = "the TLS session failed: unexpected message"

-- What the flood is, and what the client says of it with each version; nil: it goes on.
local HANDSHAKES = {
  { "endless HelloRequests", "hello-requests", TOO_MUCH, TOO_MUCH },
  { "a message in records of a byte", "bits-of-certificates", FAILED, FAILED },
  { "empty records", "empty-records", FAILED, FAILED },
  { "warnings", "warnings", FAILED, FAILED },
}
local SESSIONS = {
  { "empty records", "no-data", "the TLS session failed: ", "the TLS session failed: " },
  { "warnings", "alerts", "the TLS session failed: ", "the TLS session failed: " },
  { "HelloRequests", "again", TOO_MANY, UNEXPECTED },
  { "KeyUpdates", "key-updates", UNEXPECTED, TOO_MANY },
  { "KeyUpdates that want an answer", "key-updates-asking", UNEXPECTED, TOO_MANY },
  { "tickets", "tickets", UNEXPECTED, TOO_MANY },
}

local folder, why
local running = {}

local function start(version, flood)
  local pipe = assert(io.popen(("exec %s/rude_tls %s %s %s %s"):format(folder, certs.good.cert,
    certs.good.key, version, flood)))
  local server = { pipe = pipe }
  server.port, server.pid = pipe:read("n", "n")
  running[#running + 1] = server
  return server
end

local function stop_all()
  for _, server in ipairs(running) do
    os.execute("kill " .. server.pid)
    server.pipe:close()
  end
  running = {}
end

local function connect(server)
  return watched.connect {
    url = ("wss://127.0.0.1:%d/"):format(server.port),
    tls = { ca_file = certs.ca },
    connect_timeout = TIMEOUT,
    reconnect = false,
  }
end

-- Another client on the loop, which is answered all the time.
local function bystander()
  local client, conn = watched.meet()
  local other = { answers = 0, slowest = 0 }
  local asked = socket.gettime()
  client.ws.on_pong = function()
    other.answers = other.answers + 1
    other.slowest = math.max(other.slowest, socket.gettime() - asked)
    asked = socket.gettime()
    client.ws:ping "still there?"
  end
  client.ws:ping "there?"
  turn.script(function()
    while client.ws.status == "open" do
      if conn:has_input() then
        local frame = conn:receive_frame()
        if frame.opcode ~= 0x9 then return end
        conn:send(Peer.encode("pong", frame.payload))
      end
      turn.once()
    end
  end)
  return other
end

local function goes_on(other)
  turn.till(function() return other.answers > 0 end, "the other client's answer")
  cost.expect(other.slowest, 0, 0.5)
end

-- The client's error, after turns none of which was long.
local function error_of(client, limit)
  local started = socket.gettime()
  local event
  local longest = cost.longest_turn(function() event = client:await("errors", 1, limit) end)
  assert.is_true(longest < LONGEST_TURN, ("one turn took %.1f ms of CPU"):format(longest * 1000))
  cost.expect(socket.gettime() - started, 0, limit)
  return event
end

local function says(event, text)
  assert.equal("tls", event.kind)
  assert.truthy(event.message:find(text, 1, true), event.message)
end

describe("a server that floods a client by TLS", function()
  setup(function() folder, why = compiled.program("rude_tls", "-lssl -lcrypto") end)
  teardown(function() if folder then os.execute("rm -rf " .. folder) end end)
  after_each(function()
    stop_all()
    OpensslServer.stop_all()
    watched.end_all()
  end)

  for column, version in ipairs { "1.2", "1.3" } do
    for _, case in ipairs(HANDSHAKES) do
      it(("with %s in place of its handshake is found out, with TLS %s"):format(case[1], version), function()
        if not folder then return pending(why) end
        local other = bystander()
        local event = error_of(connect(start(version, case[2])), TIMEOUT)
        says(event, case[2 + column])
        goes_on(other)
      end)
    end

    for _, case in ipairs(SESSIONS) do
      it(("with %s on an open connection is found out, with TLS %s"):format(case[1], version), function()
        if not folder then return pending(why) end
        local other = bystander()
        local client = connect(start(version, case[2]))
        local event = error_of(client, 3)
        says(event, case[2 + column])
        assert.equal(1, #client.opens)
        local close = client:await "closes"
        assert.same({ 1006, "network", false }, { close.code, close.by, close.clean })
        goes_on(other)
      end)
    end

    -- It may: these are data. But each turn is short, and the others have theirs.
    it("with records of a byte does not hold up the others, with TLS " .. version, function()
      if not folder then return pending(why) end
      local other = bystander()
      local client = connect(start(version, "bytes"))
      local pongs = 0
      client.ws.on_pong = function() pongs = pongs + 1 end
      client:await "opens"
      local before = other.answers
      local longest = cost.longest_turn(function()
        turn.till(function() return pongs > 20000 and other.answers > before + 20 end, "20,000 pongs", 20)
      end)
      assert.is_true(longest < LONGEST_TURN, ("one turn took %.1f ms of CPU"):format(longest * 1000))
      goes_on(other)
    end)
  end

  it("with certificates without end is found out", function()
    local scratch = files.new_folder "chain"
    files.write(scratch .. "/chain", files.read(certs.client.cert):rep(150)) -- 100 KiB
    local server = OpensslServer.start(certs.good, "-cert_chain " .. scratch .. "/chain")
    says(error_of(connect(server), TIMEOUT), "the TLS handshake failed: excessive message size")
    os.execute("rm -rf " .. scratch)
  end)

  it("with a Diffie-Hellman group of its choice is refused", function()
    local scratch = files.new_folder "rsa"
    local pair = { cert = scratch .. "/cert", key = scratch .. "/key" }
    assert(os.execute(("openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out %s -days 2 -subj /CN=rsa "
      .. "2> /dev/null"):format(pair.key, pair.cert)))
    local server = OpensslServer.start(pair, "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256")
    says(error_of(connect(server), TIMEOUT), "the TLS handshake failed: the server says ")
    os.execute("rm -rf " .. scratch)
  end)

  it("bit by bit, so that no bound is met, is left when connect_timeout is over", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = ("wss://127.0.0.1:%d/"):format(server.port),
      connect_timeout = 0.3,
      reconnect = false,
    }
    local conn = server:accept()
    turn.script(function()
      while #client.errors == 0 do
        if not pcall(conn.send, conn, "\x16\x03\x03\x00\x04\0\0\0\0") then return end
        turn.once()
      end
    end)
    local spent = cost.of(function() client:await "errors" end)
    cost.expect(spent.seconds, 0.1, 0.8)
    assert.equal("timeout", client.errors[1].kind)
    assert.truthy(client.errors[1].message:find("no TLS handshake within 0.3 s", 1, true))
  end)
end)
