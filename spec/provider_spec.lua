local Peer = require "support.peer"
local cost = require "support.cost"
local WebSocket = require "steadysocket"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"

local function near(expected, actual)
  local close = type(actual) == "number" and math.abs(expected - actual) < 1e-6
  assert.is_true(close, ("expected %s, got %s"):format(expected, actual))
end

-- Answers the next attempt with something that is not 101, and hangs up.
local function turn_away(server, status, headers, body)
  local conn = server:accept()
  conn:request()
  headers = headers or {}
  headers["Connection"] = "close"
  conn:reply("HTTP/1.1 " .. (status or "503 Service Unavailable"), headers, body)
  conn:finish()
end

describe("url as a list", function()
  after_each(watched.end_all)

  it("is tried in turn, and from its beginning again, across losses too", function()
    local first, second = Peer.listen(), Peer.listen()
    local client = watched.connect {
      url = { first.url .. "a", second.url .. "b" },
      reconnect = { min_delay = 0.01, max_delay = 0.01, min_uptime = 60 },
    }
    turn_away(first)
    local conn = second:welcome()
    assert.equal("/b", conn.asked.path)
    client:await "opens"
    assert.equal(2, client.opens[1].attempt)
    assert.equal(second.url .. "b", client.ws.url)
    conn:cut()
    conn = first:welcome() -- the third in a row without success that lasted
    assert.equal("/a", conn.asked.path)
    assert.equal(3, client:await("opens", 2).attempt)
    assert.equal(first.url .. "a", client.opens[2].url)
  end)

  it("must not be empty, and has URLs only", function()
    assert.error_matches(function() WebSocket.new { url = {} } end, "option 'url' is an empty list")
    assert.error_matches(function() WebSocket.new { url = { "ws://h/", 5 } } end,
      "option 'url' is a number, string expected")
    assert.error_matches(function() WebSocket.new { url = { "ws://h/", "h" } } end,
      "option 'url' is not a WebSocket URL")
  end)
end)

describe("url as a function", function()
  after_each(watched.end_all)

  it("is called for each attempt, with its number and the client", function()
    local server = Peer.listen()
    local calls = {}
    local client = watched.connect {
      url = function(attempt, ws)
        calls[#calls + 1] = { attempt, ws }
        return server.url .. #calls
      end,
    }
    assert.equal(0, #calls, "it was called by connect()")
    assert.is_nil(client.ws.url)
    turn_away(server)
    turn_away(server)
    local conn = server:welcome()
    assert.equal("/3", conn.asked.path)
    assert.equal(server.url .. "3", client:await("opens").url)
    assert.equal(server.url .. "3", client.ws.url)
    assert.same({ { 1, client.ws }, { 2, client.ws }, { 3, client.ws } }, calls)
  end)

  it("renews what must be renewed, as a login token", function()
    local server = Peer.listen()
    local tokens = 0
    local client = watched.connect {
      url = function()
        tokens = tokens + 1
        return ("%sfeed?token=%d"):format(server.url, tokens)
      end,
    }
    for token = 1, 3 do
      local conn = server:welcome()
      assert.equal("/feed?token=" .. token, conn.asked.path)
      client:await("opens", token)
      conn:close(1008, "the token has expired")
      conn:finish()
    end
  end)

  it("may return a list, of which the attempt has its turn", function()
    local first, second = Peer.listen(), Peer.listen()
    watched.connect { url = function() return { first.url, second.url } end }
    turn_away(first)
    second:welcome()
  end)

  it("may call anything of the client", function()
    local server = Peer.listen()
    local client
    client = watched.connect {
      url = function(_, ws)
        ws:send "from the url function"
        assert(ws.status == "connecting")
        return server.url
      end,
    }
    assert.equal("from the url function", server:welcome():receive_text())
    client:await "opens"
  end)

  it("may close the client, which then makes no attempt", function()
    for _, result in ipairs { "a URL", "an error" } do
      local server = Peer.listen()
      local client = watched.connect {
        url = function(_, ws)
          ws:close()
          return result == "a URL" and server.url or error "never mind"
        end,
      }
      client:await_status "closed"
      turn.never(function() return server:arrivals() > 0 end, "an attempt", 0.02)
      assert.equal("connecting closed", client:told())
    end
  end)

  it("may call reconnect(), for another attempt instead", function()
    local server = Peer.listen()
    local calls = 0
    local client = watched.connect {
      url = function(_, ws)
        calls = calls + 1
        if calls == 1 then ws:reconnect() end
        return server.url .. calls
      end,
    }
    assert.equal("/2", server:welcome().asked.path)
    client:await "opens"
    assert.equal(1, server:arrivals())
    assert.equal("connecting on_open open", client:told())
  end)

  it("changes nothing for a connection that is being dropped", function()
    local server = Peer.listen { narrow = true }
    local client = watched.connect {
      url = function() return server.url .. ("x"):rep(math.random(100)) end,
      queue = { max_bytes = 1 << 26 },
    }
    for round = 1, 5 do
      server:welcome()
      client:await("opens", round)
      for _ = 1, 8 do client.ws:send(("x"):rep(1 << 20)) end
      for _ = 1, 5 do turn.once() end
      client.ws:discard()
      client.ws:reconnect()
    end
    server:welcome()
    client:await("opens", 6)
  end)
end)

describe("headers as a function", function()
  after_each(watched.end_all)

  it("is called for each attempt, with its number and the client", function()
    local server = Peer.listen()
    local calls = {}
    local client = watched.connect {
      url = server.url,
      headers = function(attempt, ws)
        calls[#calls + 1] = { attempt, ws }
        return { ["X-Token"] = "t-" .. attempt, ["X-Many"] = { "a", "b" } }
      end,
    }
    turn_away(server)
    local conn = server:welcome()
    assert.equal("t-2", conn.asked.headers["x-token"])
    assert.same({ "a", "b" }, conn.asked.headers["x-many"])
    client:await "opens"
    assert.same({ { 1, client.ws }, { 2, client.ws } }, calls)
  end)

  it("replaces what it returned before", function()
    local server = Peer.listen()
    watched.connect {
      url = server.url,
      headers = function(attempt) return { ["X-Attempt-" .. attempt] = "yes" } end,
    }
    turn_away(server)
    local headers = server:welcome().asked.headers
    assert.is_nil(headers["x-attempt-1"])
    assert.equal("yes", headers["x-attempt-2"])
  end)

  it("may return an empty table", function()
    local server = Peer.listen()
    watched.connect { url = server.url, headers = function() return {} end }
    server:welcome()
  end)
end)

describe("protocols as a function", function()
  after_each(watched.end_all)

  it("is called for each attempt, with its number and the client", function()
    local server = Peer.listen()
    local calls = {}
    local client = watched.connect {
      url = server.url,
      protocols = function(attempt, ws)
        calls[#calls + 1] = { attempt, ws }
        return { "auth", "token." .. attempt }
      end,
    }
    turn_away(server)
    local conn = server:welcome { protocol = "token.2" }
    assert.equal("auth, token.2", conn.asked.headers["sec-websocket-protocol"])
    assert.equal("token.2", client:await("opens").protocol)
    assert.same({ { 1, client.ws }, { 2, client.ws } }, calls)
  end)

  it("may return one, of which the server has to take one where that is required", function()
    local server = Peer.listen()
    local client = watched.connect {
      url = server.url,
      require_protocol = true,
      protocols = function(attempt) return "v" .. attempt end,
    }
    server:accept():upgrade()
    assert.equal("handshake", client:await("errors").kind)
    server:accept():upgrade { protocol = "v1" }
    assert.equal("handshake", client:await("errors", 2).kind)
    server:welcome { protocol = "v3" }
    assert.equal("v3", client:await("opens").protocol)
  end)
end)

describe("a provider that fails", function()
  after_each(watched.end_all)

  local described = setmetatable({}, { __tostring = function() return "an error object" end })
  local FAILURES = {
    url = {
      { "an error", function() error "no token" end, "no token" },
      { "an error without a position", function() error("no token", 0) end, ": no token" },
      { "nil and a reason", function() return nil, "no token" end, ": no token" },
      { "an error object", function() error(described) end, "an error object" },
      { "an error table", function() error {} end, "the error is a table value" },
      { "an error of nil", function() error(nil) end, "nil" },
      { "nothing", function() end, "option 'url' is a nil, string expected" },
      { "false", function() return false end, "option 'url' is a boolean, string expected" },
      { "a number", function() return 5 end, "option 'url' is a number, string expected" },
      { "a function", function() return print end, "option 'url' is a function, string expected" },
      { "an empty list", function() return {} end, "option 'url' is an empty list" },
      { "another scheme", function() return "http://h/" end, "does not begin with ws:// or wss://" },
      { "a list with a fault", function() return { "ws://h/", 5 } end, "option 'url' is a number" },
      { "a yield", function() coroutine.yield() end, "attempt to yield" },
    },
    headers = {
      { "an error", function() error "no token" end, "no token" },
      { "nil and a reason", function() return nil, "no token" end, ": no token" },
      { "nothing", function() end, "option 'headers' is a nil, table expected" },
      { "a string", function() return "X: y" end, "option 'headers' is a string, table expected" },
      { "a boolean in it", function() return { ["X-A"] = true } end, "option 'headers.X-A' is a boolean" },
      { "a line break", function() return { ["X-A"] = "a\r\nb" } end, "option 'headers.X-A' has a control" },
      { "a header that is ours", function() return { Upgrade = "x" } end, "option 'headers.Upgrade' belongs" },
    },
  }

  FAILURES.protocols = {
    { "an error", function() error "no token" end, "no token" },
    { "nil and a reason", function() return nil, "no token" end, ": no token" },
    { "nothing", function() end, "option 'protocols' is a nil, string expected" },
    { "an empty list", function() return {} end, "option 'protocols' is an empty list" },
    { "a blank", function() return "a b" end, "option 'protocols' has \"a b\", which is not a token" },
    { "one twice", function() return { "a", "a" } end, "option 'protocols' has \"a\", which is offered twice" },
  }

  for provider, failures in pairs(FAILURES) do
    for _, failure in ipairs(failures) do
      local what, fails, text = table.unpack(failure)
      it("by " .. what .. " in " .. provider .. ": an error that says so, and the session goes on", function()
        local server = Peer.listen()
        local good = provider == "url" and server.url or provider == "headers" and {} or "chat"
        local options = { url = server.url, name = "prices" }
        options[provider] = function(attempt)
          if attempt == 1 then return fails() end
          return good
        end
        local client = watched.connect(options, "first")
        local event = client:await "errors"
        assert.equal("provider", event.kind)
        local beginning = ("prices: the %s function failed: "):format(provider)
        assert.equal(beginning, event.message:sub(1, #beginning))
        assert.truthy(event.message:find(text, #beginning - 1, true), event.message)
        assert.equal(event.message, client.ws.last_error)
        assert.equal(1, event.attempt)
        assert.is_nil(event.url)
        assert.is_nil(event.http_status)
        assert.is_true(event.will_reconnect)
        near(watched.delay, event.delay)
        assert.equal("first", server:welcome():receive_text())
        client:await "opens"
        assert.equal("connecting on_error waiting connecting on_open open", client:told())
        assert.equal(1, server:arrivals())
      end)
    end
  end

  it("with a very long text has it cut", function()
    local client = watched.connect {
      url = function() error(("x"):rep(10000), 0) end,
      reconnect = false,
    }
    local event = client:await "errors"
    assert.truthy(event.message:find(("x"):rep(400), 1, true))
    assert.is_true(#event.message < 1024)
    client:await_status "closed"
  end)

  it("each time is closed after max_attempts", function()
    local calls = 0
    local client = watched.connect {
      url = function() calls = calls + 1 end,
      reconnect = { min_delay = 0, max_attempts = 3 },
    }
    client:await_status "closed"
    assert.equal(3, calls)
    assert.equal(3, #client.errors)
  end)
end)

describe("should_reconnect", function()
  after_each(watched.end_all)

  it("is given the event of an attempt that failed, and the client", function()
    local server = Peer.listen()
    local seen
    local client = watched.connect {
      url = server.url,
      should_reconnect = function(event, ws)
        seen = { event = event, ws = ws }
        return false
      end,
    }
    turn_away(server, "403 Forbidden", nil, "no")
    local error_event = client:await "errors"
    client:await_status "closed"
    assert.equal(client.ws, seen.ws)
    assert.equal("http", seen.event.kind)
    assert.equal(403, seen.event.http_status)
    assert.equal("no", seen.event.http_body)
    assert.is_true(seen.event.will_reconnect) -- as the options say
    near(watched.delay, seen.event.delay)
    assert.is_false(error_event.will_reconnect)
    assert.is_nil(error_event.delay)
  end)

  it("is given the event of a connection that ended", function()
    local server = Peer.listen()
    local seen
    local client = watched.connect {
      url = server.url,
      should_reconnect = function(event)
        seen = event
        return event.code ~= 4001
      end,
    }
    for code = 4000, 4001 do
      local conn = server:welcome()
      client:await("opens", code - 3999)
      conn:close(code, "reason")
      conn:finish()
      local close = client:await("closes", code - 3999)
      assert.equal(code, seen.code)
      assert.equal("reason", seen.reason)
      assert.equal(code == 4000, close.will_reconnect)
    end
    client:await_status "closed"
    assert.equal(2, server:arrivals())
  end)

  it("keeps the queue when it says false, for another connect()", function()
    local server = Peer.listen()
    local client = watched.connect({
      url = server.url,
      should_reconnect = function() return false end,
    }, "kept")
    turn_away(server)
    client:await_status "closed"
    assert.equal(1, client.ws.queued)
    assert.is_true(client.ws:connect())
    assert.equal("kept", server:welcome():receive_text())
  end)

  it("may return the delay to use, 0 as well", function()
    for _, delay in ipairs { 0, 0.05, 7 } do
      local server = Peer.listen()
      local client = watched.connect {
        url = server.url,
        should_reconnect = function() return delay end,
      }
      turn_away(server)
      near(delay, client:await("errors").delay)
      if delay < 1 then
        server:welcome()
        client:await "opens"
      else
        client:await_status "waiting"
      end
    end
  end)

  it("leaves the delay as it is with true and nil", function()
    for _, result in ipairs { true, "nil" } do
      local server = Peer.listen()
      local client = watched.connect {
        url = server.url,
        should_reconnect = function()
          if result == true then return true end
        end,
      }
      turn_away(server)
      near(watched.delay, client:await("errors").delay)
      server:welcome()
    end
  end)

  it("is not asked where the options say no", function()
    local server = Peer.listen()
    local asked = false
    local client = watched.connect {
      url = server.url,
      reconnect = false,
      should_reconnect = function() asked = true return true end,
    }
    turn_away(server)
    client:await_status "closed"
    assert.is_false(asked)
  end)

  it("is not asked when close() ends the connection", function()
    local server = Peer.listen()
    local asked = false
    local client = watched.connect {
      url = server.url,
      should_reconnect = function() asked = true end,
    }
    local conn = server:welcome()
    client:await "opens"
    client.ws:close()
    conn:receive_close()
    conn:close(1000)
    conn:finish()
    client:await_status "closed"
    assert.is_false(asked)
  end)

  local FAULTS = {
    { "a string", function() return "5" end, "should_reconnect returned 5; a boolean" },
    { "a table", function() return {} end, "should_reconnect returned table: " },
    { "a negative number", function() return -1 end,
      "should_reconnect returned -1; a boolean, nil, or seconds from 0 to 1000000000 expected" },
    { "more than 31 years", function() return 2e9 end, "should_reconnect returned 2000000000.0; a boolean" },
    { "a text that commands a terminal", function() return "\27" end, [[should_reconnect returned \x1b; ]] },
    { "NaN", function() return 0 / 0 end, "should_reconnect returned " },
    { "infinity", function() return math.huge end, "should_reconnect returned inf" },
    { "an error", function() error "oops" end, "oops" },
  }
  for _, fault in ipairs(FAULTS) do
    local what, fails, text = table.unpack(fault)
    it("comes out of run with " .. what .. ", and the session takes its default", function()
      local server = Peer.listen()
      local failing = true
      local client = watched.connect {
        url = server.url,
        should_reconnect = function()
          if failing then return fails() end
        end,
      }
      local conn = server:accept()
      conn:request()
      conn.socket:send "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      local errors = turn.through(function() return client.errors[1] end, "on_error")
      failing = false
      assert.equal(1, #errors)
      assert.truthy(errors[1]:find(text, 1, true), errors[1])
      assert.truthy(errors[1]:find("traceback", 1, true))
      near(watched.delay, client.errors[1].delay)
      server:welcome()
      client:await "opens"
    end)
  end

  -- How a connection does not come about, or does not last; and what the client tells of it, if
  -- should_reconnect calls close() and if it calls reconnect().
  local ENDS = {
    {
      function(server) turn_away(server) end,
      "connecting on_error closed",
      "connecting on_error on_open open",
    },
    {
      function(server) server:welcome():cut() end,
      "connecting on_open open closing on_close closed",
      "connecting on_open open on_close connecting on_open open",
    },
    {
      function(server) server:welcome():frame(3, "") end,
      "connecting on_open open on_error closing on_close closed",
      "connecting on_open open on_error on_close connecting on_open open",
    },
  }

  it("may close the client", function()
    for _, how in ipairs(ENDS) do
      local server = Peer.listen()
      local client = watched.connect {
        url = server.url,
        should_reconnect = function(_, ws) ws:close() end,
      }
      how[1](server)
      client:await_status("closed", 5)
      turn.never(function() return server:arrivals() > 1 end, "another attempt", 0.02)
      assert.equal(how[2], client:told())
      assert.equal(#client.errors, client.ws:stats().failures)
      for _, list in ipairs { client.errors, client.closes } do
        assert.is_false(list[1] ~= nil and list[1].will_reconnect)
      end
    end
  end)

  it("may call reconnect(), which does not wait", function()
    for _, how in ipairs(ENDS) do
      local server = Peer.listen()
      local calls = 0
      local client = watched.connect {
        url = server.url,
        reconnect = { min_delay = 20, max_delay = 20, jitter = 0 },
        should_reconnect = function(_, ws)
          calls = calls + 1
          if calls == 1 then ws:reconnect() end
        end,
      }
      how[1](server)
      server:welcome()
      turn.till(function() return client:told() == how[3] end, how[3])
      for _, list in ipairs { client.errors, client.closes } do
        assert.is_true(list[1] == nil or list[1].will_reconnect)
        assert.is_true(list[1] == nil or list[1].delay == 0)
      end
    end
  end)
end)

describe("Retry-After", function()
  after_each(watched.end_all)

  -- The event of an attempt that was answered with this header.
  local function answered(value, options)
    local server = Peer.listen()
    options = options or {}
    options.url = server.url
    local client = watched.connect(options)
    turn_away(server, "503 Service Unavailable", { ["Retry-After"] = value })
    local event = client:await "errors"
    client.ws:close()
    return event
  end

  it("is obeyed when it is longer than the delay", function()
    local event = answered "120"
    assert.equal(120, event.retry_after)
    near(120, event.delay)
  end)

  it("is obeyed in fact", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    turn_away(server, "503 Service Unavailable", { ["Retry-After"] = "1" })
    local start = socket.gettime()
    client:await "errors"
    server:welcome()
    assert.is_true(socket.gettime() - start > 0.95)
  end)

  it("is told and not obeyed when it is shorter", function()
    local options = { reconnect = { min_delay = 10, max_delay = 10, jitter = 0 } }
    local event = answered("3", options)
    assert.equal(3, event.retry_after)
    assert.equal(10, event.delay)
  end)

  it("may be a date", function()
    for _, form in ipairs { "!%a, %d %b %Y %H:%M:%S GMT", "!%A, %d-%b-%y %H:%M:%S GMT", "!%a %b %e %H:%M:%S %Y" } do
      local event = answered(os.date(form, os.time() + 100))
      assert.is_true(event.retry_after > 90 and event.retry_after <= 100, event.retry_after)
      near(event.retry_after, event.delay)
    end
  end)

  it("counts up to an hour", function()
    for _, value in ipairs { "3601", "86400", "99999999999999999999",
      os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 100000) } do
      local event = answered(value)
      assert.equal(3600, event.retry_after)
      near(3600, event.delay)
    end
  end)

  it("is nothing when it is past, 0 or no sense", function()
    for _, value in ipairs { "0", "-1", "soon", "Sun, 06 Nov 1994 08:49:37 GMT" } do
      local event = answered(value)
      assert.is_nil(event.retry_after)
      near(watched.delay, event.delay)
    end
  end)

  it("is told also when there will be no attempt", function()
    local event = answered("120", { reconnect = false })
    assert.equal(120, event.retry_after)
    assert.is_false(event.will_reconnect)
    assert.is_nil(event.delay)
  end)

  it("holds back the URL that it came from, and not the next one of a list", function()
    local busy, free = Peer.listen(), Peer.listen()
    local client = watched.connect { url = { busy.url, free.url } }
    local spent = cost.of(function()
      turn_away(busy, "503 Service Unavailable", { ["Retry-After"] = "60" })
      for number = 2, 4 do -- the busy one is left out when its turn comes
        turn_away(free)
        near(watched.delay, client:await("errors", number).delay)
      end
      free:welcome()
      client:await "opens"
    end)
    cost.expect(spent.seconds, 3 * watched.delay, 2)
    local first = client.errors[1]
    assert.equal(60, first.retry_after)
    near(watched.delay, first.delay)
    assert.equal(1, busy:arrivals())
    assert.equal(free.url, client.opens[1].url)
  end)

  it("of all URLs of a list has the client wait for the first that may be asked again", function()
    local slow, fast = Peer.listen(), Peer.listen()
    local client = watched.connect { url = { slow.url, fast.url } }
    turn_away(slow, "503 Service Unavailable", { ["Retry-After"] = "60" })
    turn_away(fast, "503 Service Unavailable", { ["Retry-After"] = "1" })
    local delay = client:await("errors", 2).delay
    assert.is_true(delay > 0.9 and delay <= 1, delay)
    fast:welcome()
    assert.equal(fast.url, client:await("opens").url)
    assert.equal(1, slow:arrivals())
  end)

  it("holds back what a function returns, whatever the query is", function()
    local server, tokens = Peer.listen(), 0
    local client = watched.connect {
      url = function()
        tokens = tokens + 1
        return server.url .. "?token=" .. tokens
      end,
    }
    turn_away(server, "503 Service Unavailable", { ["Retry-After"] = "60" })
    near(60, client:await("errors").delay)
    client.ws:reconnect()
    turn_away(server)
    local delay = client:await("errors", 2).delay -- of a server that has not taken it back
    assert.is_true(delay > 55 and delay <= 60, delay)
  end)

  it("is over when the server has let the client in", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    turn_away(server, "503 Service Unavailable", { ["Retry-After"] = "60" })
    client:await "errors"
    client.ws:reconnect()
    server:welcome():cut()
    near(watched.delay, client:await("closes").delay)
  end)

  it("is exceeded by up to a tenth, at random, so that not all come back at once", function()
    local options = { reconnect = { min_delay = 0.01, max_delay = 0.01, jitter = 1 } }
    local least, most = math.huge, 0
    for _ = 1, 40 do
      local delay = answered("100", options).delay
      least, most = math.min(least, delay), math.max(most, delay)
    end
    assert.is_true(least >= 100 and least < 103, least)
    assert.is_true(most > 107 and most <= 110, most)
  end)

  it("gives way to should_reconnect", function()
    local event = answered("120", { should_reconnect = function() return 0.5 end })
    assert.equal(120, event.retry_after)
    assert.equal(0.5, event.delay)
  end)
end)

describe("http_body", function()
  after_each(watched.end_all)

  local function body_of(answer, finish)
    local server = Peer.listen()
    local client = watched.connect { url = server.url, connect_timeout = 0.5 }
    local conn = server:accept()
    conn:request()
    pcall(conn.send, conn, answer) -- not all of it need be taken
    if finish then conn:finish() end
    local event = client:await "errors"
    assert.equal("http", event.kind)
    assert.equal(403, event.http_status)
    client.ws:close()
    return event.http_body
  end

  local HEAD = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n"

  it("is what comes with a Content-Length", function()
    assert.equal("denied", body_of(HEAD .. "Content-Length: 6\r\n\r\ndenied"))
    assert.equal("a\0b", body_of(HEAD .. "Content-Length: 3\r\n\r\na\0b"))
  end)

  it("is what comes in chunks", function()
    local chunks = "3\r\nden\r\n3\r\nied\r\n0\r\n\r\n"
    assert.equal("denied", body_of(HEAD .. "Transfer-Encoding: chunked\r\n\r\n" .. chunks))
  end)

  it("is what comes until the server hangs up", function()
    assert.equal("denied", body_of(HEAD .. "Connection: close\r\n\r\ndenied", true))
    assert.equal("denied", body_of("HTTP/1.0 403 Forbidden\r\n\r\ndenied", true))
  end)

  it("is its first 4 KiB", function()
    local body = ("0123456789abcdef"):rep(1024)
    for _, head in ipairs {
      HEAD .. ("Content-Length: %d\r\n\r\n"):format(#body),
      HEAD .. "Connection: close\r\n\r\n",
      HEAD .. ("Transfer-Encoding: chunked\r\n\r\n%x\r\n"):format(#body),
    } do
      assert.is_true(body:sub(1, 4096) == body_of(head .. body .. "\r\n0\r\n\r\n"))
    end
  end)

  it("is what came of it, when the server stops in the middle", function()
    assert.equal("den", body_of(HEAD .. "Content-Length: 6\r\n\r\nden", true))
    assert.equal("den", body_of(HEAD .. "Content-Length: 6\r\n\r\nden"))
  end)

  it("is nil when there is none", function()
    assert.is_nil(body_of(HEAD .. "Content-Length: 0\r\n\r\n"))
    assert.is_nil(body_of(HEAD .. "\r\n"))
    assert.is_nil(body_of(HEAD .. "\r\n", true))
    assert.is_nil(body_of(HEAD .. "Connection: close\r\n\r\n", true))
  end)

  it("is nil for a failure that has no answer", function()
    local server = Peer.listen()
    server:close()
    local event = watched.connect({ url = server.url }):await "errors"
    assert.is_nil(event.http_body)
    assert.is_nil(event.http_headers)
    assert.is_nil(event.retry_after)
  end)
end)

describe("last_error", function()
  after_each(watched.end_all)

  it("is nil at first, the message of the last failure then, and stays when all is well", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    assert.is_nil(client.ws.last_error)
    turn_away(server, "403 Forbidden")
    client:await "errors"
    assert.equal(client.errors[1].message, client.ws.last_error)
    turn_away(server, "404 Not Found")
    client:await("errors", 2)
    assert.equal(client.errors[2].message, client.ws.last_error)
    server:welcome()
    client:await "opens"
    assert.equal(client.errors[2].message, client.ws.last_error)
  end)

  it("has no password of the URL in it", function()
    local server = Peer.listen()
    local url = server.url:gsub("//", "//user:secret@")
    local client = watched.connect { url = url }
    turn_away(server, "401 Unauthorized")
    local event = client:await "errors"
    assert.is_nil(event.message:find("secret", 1, true))
    assert.is_nil(event.url:find("secret", 1, true))
    assert.is_nil(client.ws.last_error:find("secret", 1, true))
    assert.is_nil(tostring(client.ws):find("secret", 1, true))
    assert.is_nil(client.ws.url:find("secret", 1, true))
  end)
end)
