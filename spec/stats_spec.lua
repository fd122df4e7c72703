local Peer = require "support.peer"
local turn = require "support.turn"
local watched = require "support.watched"

describe("stats", function()
  after_each(watched.end_all)

  it("count attempts, retries and connections, and tell the last close code", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, reconnect = { min_delay = 0, max_delay = 0 } }
    local ws = client.ws
    assert.equal(0, ws:stats().last_close)

    server:accept():reset() -- the first attempt fails
    local conn = server:welcome()
    turn.till(function() return ws.status == "open" end, "a connection")
    local stats = ws:stats()
    assert.equal(stats.attempts - 1, stats.retries)
    assert.equal(1, stats.connections)

    conn:close(1012, "back soon")
    conn:receive_close()
    conn:finish()
    server:welcome()
    turn.till(function() return ws:stats().connections == 2 end, "another connection")
    assert.equal(1012, ws:stats().last_close)
    assert.equal(ws:stats().attempts - 1, ws:stats().retries)
  end)

  it("count an attempt as a retry that reconnect() has asked for", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    server:accept():reset()
    client:await "errors"
    client.ws:reconnect()
    server:welcome()
    client:await "opens"
    local stats = client.ws:stats()
    assert(stats.retries >= 1 and stats.retries == stats.attempts - 1, stats.retries .. " of " .. stats.attempts)
  end)
end)
