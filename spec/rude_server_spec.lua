-- Servers that take connections and end them, again and again, in whatever moment. Whatever they do,
-- attempts keep their distance, nothing is left behind, and what was sent arrives in the end.

local Peer = require "support.peer"
local certs = require "support.certs"
local child = require "support.child"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"

local CLIENTS, RESETS = 5, 200

local function descriptors()
  local pipe <close> = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  return pipe:read "n"
end

-- KiB, but for what Lua has: the clients' stories grow with each attempt.
local function memory()
  collectgarbage()
  collectgarbage()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s+(%d+)"
    if kib then return tonumber(kib) - collectgarbage("count") // 1 end
  end
end

-- Each: ends a connection, and returns true once that is done.
local MOMENTS = {
  ["before the request is read"] = function(conn)
    conn:reset()
    return true
  end,
  ["when the request is there"] = function(conn)
    if not conn:has_input() then return end
    conn:reset()
    return true
  end,
  ["in the middle of the answer"] = function(conn)
    if not conn:has_input() then return end
    conn:send "HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs"
    conn:reset()
    return true
  end,
  ["right behind the answer"] = function(conn)
    if not conn:has_input() then return end
    conn:upgrade()
    conn:reset()
    return true
  end,
  ["when messages come"] = function(conn)
    if not conn.answered then
      if not conn:has_input() then return end
      conn:upgrade()
      conn.answered = true
    end
    if #conn:frames() == 0 then return end
    conn:reset()
    return true
  end,
}

-- Takes the place of a connection that is over, so that what it had can be collected.
local OVER = { failure = "over", cut = function() end }

-- Treats each connection like that, until there were `state.enough`: as a condition.
local function treat(server, behaviour, state)
  return function()
    for index = state.taken + 1, #server.all do
      local conn = server.all[index]
      if conn.failure or conn.ready and behaviour(conn) then server.all[index] = OVER end
    end
    while server.all[state.taken + 1] == OVER do state.taken = state.taken + 1 end
    return state.taken >= state.enough
  end
end

describe("A storm of resets", function()
  after_each(watched.end_all)

  -- Takes what arrives on all connections until each client's messages are there, in order.
  local function receive_all(server, from)
    local expected = {}
    local function missing()
      for number = 1, CLIENTS do
        if (expected[number] or 1) <= 3 then return true end
      end
    end
    turn.till(function()
      for index = from, #server.all do
        local conn = server.all[index]
        if not conn.failure and conn.ready then
          if not conn.answered and conn:has_input() then
            conn:upgrade()
            conn.answered = true
          end
          for _, frame in ipairs(conn.answered and conn:frames() or {}) do
            local client, number = frame.payload:match "^(%d) (%d)$"
            if client then
              client, number = tonumber(client), tonumber(number)
              local next_one = expected[client] or 1
              assert(number <= next_one)
              expected[client] = math.max(next_one, number + 1)
            elseif frame.opcode == Peer.OPCODE.ping then
              conn:pong(frame.payload)
            end
          end
        end
      end
      return not missing()
    end, "all messages", 20)
  end

  for _, scheme in ipairs { "ws", "wss" } do
    for moment, behaviour in pairs(MOMENTS) do
      it(("over %s, %s, leaves nothing behind and loses nothing"):format(scheme, moment), function()
        local server = Peer.listen { tls = scheme == "wss" and certs.good or nil }
        local clients = {}
        for number = 1, CLIENTS do
          clients[number] = watched.connect {
            url = server.url,
            confirm = true,
            tls = { ca_file = certs.ca },
            reconnect = { min_delay = 0.001, max_delay = 0.001 },
          }
          for message = 1, 3 do clients[number].ws:send(("%d %d"):format(number, message)) end
        end
        local state = { taken = 0, enough = RESETS // 3 }
        local storm = treat(server, behaviour, state)
        turn.till(storm, "a third of the resets", 20)
        local before = { descriptors = descriptors(), memory = memory() }
        state.enough = RESETS
        turn.till(storm, "the other resets", 20)
        local after = { descriptors = descriptors(), memory = memory() }
        -- At either time some clients are connected, and some are not.
        assert.is_true(math.abs(after.descriptors - before.descriptors) <= 2 * CLIENTS + 2,
          ("%d descriptors, then %d"):format(before.descriptors, after.descriptors))
        assert.is_true(child.keeps_what_is_freed() or after.memory < before.memory + 4096,
          ("%g KiB, then %g"):format(before.memory, after.memory))
        receive_all(server, state.taken + 1)
        for _, client in ipairs(clients) do
          turn.till(function() return client.ws.unconfirmed + client.ws.queued == 0 end, "the pong")
          assert.equal(0, client.ws:stats().dropped)
        end
      end)
    end
  end
end)

describe("A server that accepts and drops", function()
  after_each(watched.end_all)

  -- When the connections came, each of which is upgraded and ended after so many seconds.
  local function arrivals(server, count, lasting)
    local times = {}
    for number = 1, count do
      local conn = server:welcome()
      times[number] = socket.gettime()
      if lasting > 0 then turn.never(function() return conn.ended end, "the end", lasting) end
      conn:finish()
    end
    return times
  end

  it("is asked at growing distances, as one that refuses", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      reconnect = { min_delay = 0.02, factor = 2, jitter = 0, max_delay = 0.32, min_uptime = 5 },
    }
    local times = arrivals(server, 7, 0)
    for number, delay in ipairs { 0.02, 0.04, 0.08, 0.16, 0.32, 0.32 } do
      local took = times[number + 1] - times[number]
      assert.is_true(took > delay * 0.9, ("attempt %d after %g s"):format(number + 1, took))
      assert.equal(delay, client:await("closes", number).delay)
    end
    client:await("opens", 7)
    assert.same({}, client.errors)
  end)

  it("is taken for stable only after min_uptime", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      reconnect = { min_delay = 0.02, factor = 2, jitter = 0, max_delay = 1, min_uptime = 0.2 },
    }
    arrivals(server, 4, 0)
    client:await("closes", 4)
    assert.equal(0.16, client.closes[4].delay)
    arrivals(server, 1, 0.3)
    assert.equal(0.02, client:await("closes", 5).delay)
    arrivals(server, 1, 0)
    assert.equal(0.02, client:await("closes", 6).delay)
    arrivals(server, 1, 0)
    assert.equal(0.04, client:await("closes", 7).delay)
  end)

  it("ends a client whose max_attempts are used up by that", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      reconnect = { min_delay = 0.001, max_attempts = 4 },
    }
    client.ws:send "kept"
    for _ = 1, 4 do server:welcome():finish() end
    client:await_status "closed"
    for number, event in ipairs(client.closes) do
      assert.equal(number < 4, event.will_reconnect)
    end
    assert.equal(4, #client.closes)
  end)

  it("loses nothing with confirm, and answers in the end", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      confirm = true,
      reconnect = { min_delay = 0.001, max_delay = 0.001 },
    }
    for number = 1, 10 do client.ws:send(tostring(number)) end
    arrivals(server, 50, 0)
    local conn = server:welcome()
    for number = 1, 10 do assert.equal(tostring(number), conn:receive_text()) end
    local ping = conn:receive_frame()
    assert.equal(Peer.OPCODE.ping, ping.opcode)
    conn:pong(ping.payload)
    turn.till(function() return client.ws.unconfirmed == 0 end, "the confirmation")
    assert.equal(0, client.ws.queued)
  end)
end)
