-- What the log tells at its levels, where it goes, and what it must not tell. How lines are made is in
-- spec/core/trace_spec.lua.

local Command = require "support.command"
local Peer = require "support.peer"
local Proxy = require "support.proxy"
local Socks = require "support.socks"
local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"
local preload = require "support.preload"
local silent = require "support.silent"
local turn = require "support.turn"
local watched = require "support.watched"
local WebSocket = require "steadysocket"

local LEVELS = { "error", "warning", "info", "debug", "trace" }

-- A log that keeps its lines, as "level line" without the client's name.
local function collector(level)
  local lines = {}
  return {
    level = level or "debug",
    to = function(line_level, line, ws)
      assert.equal("userdata", type(ws))
      lines[#lines + 1] = line_level .. " " .. line:gsub("^prices: ", "")
    end,
  }, lines
end

-- The lines of a level, without it.
local function of_level(lines, level)
  local some = {}
  for _, line in ipairs(lines) do some[#some + 1] = line:match("^" .. level .. " (.*)$") end
  return some
end

-- Fails unless lines that these patterns fit to are there in this order.
local function expect_in_order(lines, patterns)
  local at = 1
  for _, pattern in ipairs(patterns) do
    while lines[at] and not lines[at]:find(pattern) do at = at + 1 end
    if not lines[at] then
      error(("no line fits %q, in this place, in:\n%s"):format(pattern, table.concat(lines, "\n")), 2)
    end
    at = at + 1
  end
end

local function await_line(lines, pattern)
  return turn.till(function()
    for _, line in ipairs(lines) do
      if line:find(pattern) then return line end
    end
  end, "a line that fits " .. pattern)
end

local function finally()
  watched.end_all()
  Proxy.close_all()
  silent.close_all()
  Server.stop_all()
  Command.end_all()
end

describe("with level debug, the log", function()
  after_each(finally)

  it("tells each phase of an attempt, with the heads of request and answer", function()
    local server = Peer.listen()
    local log, lines = collector()
    local url = server.url:gsub("127.0.0.1", "localhost")
    local client = watched.connect { url = url, name = "prices", log = log, protocols = { "a", "b" } }
    local request = server:welcome { protocol = "b" }.asked
    client:await "opens"
    local own = of_level(lines, "debug")
    expect_in_order(own, {
      "^attempt 1: " .. url:gsub("%p", "%%%0") .. "$",
      "^looking up localhost$",
      "^localhost has the address.* 127%.0%.0%.1",
      ("^trying 127%%.0%%.0%%.1 port %d$"):format(server.port),
      ("^connected to 127%%.0%%.0%%.1 port %d$"):format(server.port),
      "^> GET / HTTP/1.1$",
      ("^> Host: localhost:%d$"):format(server.port),
      "^> Upgrade: websocket$",
      "^> Sec%-WebSocket%-Key: " .. request.headers["sec-websocket-key"]:gsub("%p", "%%%0") .. "$",
      "^> Sec%-WebSocket%-Protocol: a, b$",
      "^< HTTP/1.1 101 Switching Protocols$",
      "^< sec%-websocket%-accept: ",
      "^< sec%-websocket%-protocol: b$",
    })
    local _, header_lines = request.raw:gsub("\r\n", "")
    local shown = 0
    for _, line in ipairs(own) do shown = shown + (line:find "^> " and 1 or 0) end
    assert.equal(header_lines - 1, shown)
    assert.same({ "connecting", ("connected to %s at 127.0.0.1"):format(url), "open" }, of_level(lines, "info"))
    assert.same({}, of_level(lines, "trace"))
  end)

  it("tells the version of TLS, the cipher, and whose certificate came", function()
    local server = Peer.listen { tls = certs.good }
    for _, verify in ipairs { true, false } do
      local log, lines = collector()
      local client = watched.connect { url = server.url, name = "prices", log = log,
        tls = { ca_file = certs.ca, verify = verify } }
      server:welcome()
      client:await "opens"
      expect_in_order(of_level(lines, "debug"), {
        "^connected to 127%.0%.0%.1 port",
        "^TLS handshake, for the name 127%.0%.0%.1$",
        '^TLS is up: TLSv1%.%d, [%w_-]+; certificate for "localhost", "127%.0%.0%.1".* by "spec ca", '
          .. "good until %d%d%d%d%-.*; it was " .. (verify and "verified" or "not verified") .. "$",
        "^> GET / HTTP/1.1$",
      })
    end
  end)

  it("tells the way through a proxy, and what it answers", function()
    local server, proxy = Peer.listen(), Proxy.listen()
    local log, lines = collector()
    local client = watched.connect { url = server.url, name = "prices", log = log,
      proxy = proxy:url_with "user:s3cret" }
    server:welcome()
    client:await "opens"
    expect_in_order(of_level(lines, "debug"), {
      "^attempt 1: .* through the proxy " .. proxy.url:gsub("%p", "%%%0") .. "$",
      ("^connected to 127%%.0%%.0%%.1 port %d$"):format(proxy.port),
      ("^> CONNECT 127%%.0%%.0%%.1:%d HTTP/1.1$"):format(server.port),
      "^> Proxy%-Authorization: …$",
      "^< HTTP/1.1 200 Connection established$",
      "^> GET / HTTP/1.1$",
    })
  end)

  it("tells the way through a SOCKS proxy, step by step", function()
    local server, proxy = Peer.listen(), Socks.listen { user = "user", password = "s3cret" }
    local log, lines = collector()
    local client = watched.connect { url = server.url, name = "prices", log = log,
      proxy = proxy:url_with "user:s3cret" }
    server:welcome()
    client:await "opens"
    expect_in_order(of_level(lines, "debug"), {
      ("^connected to 127%%.0%%.0%%.1 port %d$"):format(proxy.port),
      ("^SOCKS 5, with a user and password: to 127%%.0%%.0%%.1, port %d$"):format(server.port),
      "^SOCKS 5: the proxy wants the user and password$",
      "^SOCKS 5: the proxy lets us in$",
      "^SOCKS 5: the proxy is connected$",
      "^> GET / HTTP/1.1$",
    })
  end)

  it("tells what a SOCKS proxy says that refuses", function()
    local proxy = Socks.listen { refuses = { ["127.0.0.1"] = 2 } }
    local log, lines = collector()
    local client = watched.connect { url = "ws://127.0.0.1:1/", name = "prices", log = log, proxy = proxy.url }
    client:await "errors"
    expect_in_order(of_level(lines, "debug"), {
      "^SOCKS 5, without a log%-in: to 127%.0%.0%.1, port 1$",
      "^SOCKS 5: the proxy lets us in$",
      "^SOCKS 5: its rules do not allow that$",
    })
  end)

  it("tells of TLS with the proxy, and with the server inside of it", function()
    local server, proxy = Peer.listen { tls = certs.good }, Proxy.listen { tls = certs.good }
    local log, lines = collector()
    local client = watched.connect { url = server.url, name = "prices", log = log, proxy = proxy.url,
      tls = { ca_file = certs.ca } }
    server:welcome()
    client:await "opens"
    expect_in_order(of_level(lines, "debug"), {
      "^TLS handshake, for the name ", "^TLS is up: ", "^> CONNECT ", "^< HTTP/1.1 200 ",
      "^TLS handshake, for the name ", "^TLS is up: ", "^> GET / HTTP/1.1$",
    })
  end)

  it("tells what a proxy says that refuses", function()
    local proxy = Proxy.listen { answer = "HTTP/1.1 407 Log In\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
      .. "Content-Length: 0\r\n\r\n" }
    local log, lines = collector()
    local client = watched.connect { url = "ws://127.0.0.1:1/", name = "prices", log = log, proxy = proxy.url }
    client:await "errors"
    expect_in_order(of_level(lines, "debug"), {
      "^> CONNECT 127%.0%.0%.1:1 HTTP/1.1$", "^< HTTP/1.1 407 Log In$", '^< proxy%-authenticate: Basic realm="x"$',
      "^decided by the options: the next attempt is in 0%.020 s$",
    })
  end)

  it("tells which address failed, which won, and what was decided", function()
    local log, lines = collector()
    local client = watched.connect { url = "ws://127.0.0.1:1/", name = "prices", log = log,
      should_reconnect = function(event) return event.attempt == 1 and 0.01 or false end,
      reconnect = { min_delay = 3, jitter = 0 } }
    client:await_status "closed"
    expect_in_order(lines, {
      "^debug trying 127%.0%.0%.1 port 1$",
      "^debug 127%.0%.0%.1 failed: connection refused$",
      "^warning ws://127%.0%.0%.1:1/: connection refused",
      "^debug decided by should_reconnect: the next attempt is in 0%.010 s$",
      "^debug attempt 2: ",
      "^debug decided by should_reconnect: there is no other attempt$",
    })
  end)

  it("tells a name that has no address", function()
    local log, lines = collector()
    watched.connect({ url = "ws://nothing.invalid/", name = "prices", log = log }):await "errors"
    expect_in_order(lines, { "^debug looking up nothing.invalid$", "^debug nothing.invalid has no address: " })
  end)

  it("tells an answer that redirects, or asks to wait", function()
    local server = Peer.listen()
    local log, lines = collector()
    local client = watched.connect { url = server.url, name = "prices", log = log }
    server:accept():reply("HTTP/1.1 302 Found", { ["Content-Length"] = "0", ["Retry-After"] = "7",
      Location = "https://user:s3cret@other.example/in?token=s3cret&a=1" })
    client:await "errors"
    client.ws:close()
    client:await_status "closed"
    expect_in_order(of_level(lines, "debug"), {
      "^< HTTP/1.1 302 Found$",
      "^< location: https://…@other.example/in%?token=…&a=1$",
      "^the server asks to wait for 7 s %(Retry%-After%)$",
      "^decided by the options: the next attempt is in 7.000 s$",
      "^close%(1000%), with 0 messages to go out before$",
    })
  end)

  it("tells the questions of the heartbeat, their answers, and a server that gives none", function()
    local log, lines = collector()
    local _, conn = watched.meet { log = log, heartbeat = { interval = 0.05, timeout = 0.05 } }
    conn:pong(conn:receive_ping())
    await_line(lines, "^warning .*the peer is silent")
    expect_in_order(lines, {
      "^debug heartbeat: nothing has come for %d+%.%d+ s, so a ping goes out$",
      "^debug a pong has come, %d+%.%d+ s after its ping; it confirms 0 messages$",
      "^debug heartbeat: nothing has come for %d+%.%d+ s, so a ping goes out$",
      "^debug heartbeat: no sign of life within 0%.05 s$",
      "^warning .*the peer is silent",
    })
  end)

  it("tells what a text heartbeat asks, but not its text", function()
    local log, lines = collector()
    local _, conn = watched.meet { log = log,
      heartbeat = { interval = 0.03, timeout = 5, message = "s3cret?", reply = "s3cret!" } }
    conn:receive_text()
    conn:text "s3cret!"
    await_line(lines, "^debug heartbeat: the reply has come after %d+%.%d+ s$")
    assert.is_nil(table.concat(lines, "\n"):find "s3cret")
  end)

  it("tells what is confirmed, a pause, and each step of the end", function()
    local log, lines = collector()
    local client, conn = watched.meet { log = log, confirm = true }
    client.ws:send "one"
    client.ws:send "two"
    conn:receive_text()
    conn:receive_text()
    conn:pong(conn:receive_ping())
    await_line(lines, "it confirms 2 messages$")
    client.ws:pause()
    client.ws:resume()
    client.ws:close(4000, "bye")
    conn:receive_close()
    conn:close(4000)
    conn:finish()
    client:await_status "closed"
    expect_in_order(of_level(lines, "debug"), {
      "^confirmation: a ping goes out behind 2 messages$",
      "^a pong has come, .* it confirms 2 messages$",
      "^pause%(%)$", "^resume%(%)$",
      "^close%(4000%), with 0 messages to go out before$",
      "^the server's close frame has come, with code 4000; it answers ours$",
      "^TCP has ended$",
      "^decided by the options: there is no other attempt$",
    })
  end)

  it("tells a connection that breaks the protocol", function()
    local log, lines = collector()
    local _, conn = watched.meet { log = log }
    conn:frame(3, "")
    await_line(lines, "^debug the connection fails with code 1002: a frame with a reserved opcode")
  end)
end)

describe("with level trace, the log", function()
  after_each(finally)

  it("tells each frame, as it goes and before its message is handled", function()
    local log, lines = collector "trace"
    local client, conn = watched.meet { log = log, on_message = function() lines[#lines + 1] = "handled" end }
    client.ws:send "grüße"
    client.ws:send(("\0"):rep(61), "binary")
    client.ws:ping "?"
    turn.till(function() return #of_level(lines, "trace") >= 3 end, "the frames that were sent")
    conn:text "one"
    client:await "messages"
    conn:frame("text", "tw", { fin = false })
    conn:frame("continuation", "o")
    client:await("messages", 2)
    conn:close(1001, "going\r\n")
    conn:finish()
    client:await "closes"
    local told = {}
    for _, line in ipairs(lines) do
      if line == "handled" or line:find "^trace" then told[#told + 1] = line:gsub("^trace ", "") end
    end
    expect_in_order(told, {
      "^> ping, FIN, 1 byte: %?$", -- control frames go first
      "^> text, FIN, 7 bytes: grüße$",
      "^> binary, FIN, 61 bytes: " .. ("\\x00"):rep(60) .. "…$",
      "^< text, FIN, 3 bytes: one$", "^handled$",
      "^< text, 2 bytes: tw$", "^< continuation, FIN, 1 byte: o$", "^handled$",
      "^< close, FIN, 9 bytes, code 1001: going\\x0d\\x0a$",
      "^> close, FIN, 2 bytes, code 1001$",
    })
  end)

  it("tells which frames are compressed", function()
    local server = Server.start { deflate = true }
    local log, lines = collector "trace"
    local client = watched.connect { url = server:url(), name = "prices", log = log, compression = true }
    client.ws:send(("compress me "):rep(500))
    client:await "messages"
    await_line(lines, "^trace > text, FIN RSV1, %d%d bytes: ")
    await_line(lines, "^trace < text, FIN RSV1, %d%d bytes: ")
    assert.is_nil(table.concat(lines, "\n"):find "[%c]^\n")
  end)

  it("can begin on an open connection, also in the middle of a frame", function()
    local client, conn = watched.meet()
    local frame = Peer.encode("text", ("x"):rep(1000))
    conn:send(frame:sub(1, 500))
    turn.till(function() return client.ws:stats().bytes_received == 500 end, "half a frame")
    local log, lines = collector "trace"
    client.ws.log = log
    conn:send(frame:sub(501))
    conn:text "whole"
    client:await("messages", 2)
    client.ws:send "first"
    await_line(lines, "^trace > text")
    client.ws.log = nil
    conn:text "unseen"
    client:await("messages", 3)
    client.ws.log = log
    client.ws:send "last"
    await_line(lines, "last$")
    assert.same({ "< text, FIN, 5 bytes: whole", "> text, FIN, 5 bytes: first", "> text, FIN, 4 bytes: last" },
      of_level(lines, "trace"))
  end)

  it("is right about a message that goes out in many pieces, and about what follows", function()
    local log, lines = collector "trace"
    local client, conn = watched.meet { log = log }
    client.ws:send(("x"):rep(3000000), "binary")
    client.ws:send "behind it"
    assert.equal(3000000, #conn:receive_binary(20))
    assert.equal("behind it", conn:receive_text())
    assert.same({ "> binary, FIN, 3000000 bytes: " .. ("x"):rep(60) .. "…", "> text, FIN, 9 bytes: behind it" },
      of_level(lines, "trace"))
  end)

  it("leaves lines out, and says how many, rather than fill the memory", function()
    local log, lines = collector "trace"
    local client, conn = watched.meet { log = log }
    for _ = 1, 40000 do client.ws:send "x" end -- more than one write's worth, without a turn
    turn.till(function() return client.ws.queued == 0 end, "all to go out")
    conn:text "the end"
    client:await "messages"
    local missing
    for _, line in ipairs(lines) do
      missing = missing or line:match "^trace (%d+) lines are missing here"
    end
    assert(tonumber(missing) > 0)
    assert(#lines < 40000, #lines)
    assert.equal("trace < text, FIN, 7 bytes: the end", lines[#lines])
  end)
end)

describe("the log's level", function()
  after_each(finally)

  local function levels_of(lines)
    local seen = {}
    for _, line in ipairs(lines) do seen[line:match "^%a+"] = true end
    return seen
  end

  for i, name in ipairs { "error", "warn", "info", "debug", "trace" } do
    it("leaves out what is more detailed: " .. name, function()
      local server = Peer.listen()
      server:close()
      local log, lines = collector(name)
      local client = watched.connect { url = server.url, name = "prices", log = log,
        reconnect = { min_delay = 0.02, jitter = 0 } }
      client:await "errors"
      watched.connect({ url = server.url, name = "prices", log = log, reconnect = false }):await_status "closed"
      server:open_again()
      local conn = server:welcome()
      client:await "opens"
      client.ws:send "a frame"
      conn:receive_text()
      local expected = {}
      for j = 1, i do expected[LEVELS[j]] = true end
      assert.same(expected, levels_of(lines))
    end)
  end

  it("may be written in capitals, and 'warn' as 'warning'", function()
    for _, name in ipairs { "DEBUG", "Trace", "warning", "WARN" } do
      WebSocket.new { url = "ws://127.0.0.1:1/", log = { level = name } }
    end
  end)

  it("is read where the table is set, and the table comes back", function()
    local log, lines = collector "trace"
    local ws = WebSocket.new { url = "ws://127.0.0.1:1/", log = log }
    assert.equal(log, ws.log)
    ws.log = false
    assert.is_false(ws.log)
    ws:close()
    turn.till(function() return ws.status == "closed" end, "the end")
    turn.once()
    assert.same({}, lines)
  end)

  it("brings no line of a client that is not connected, and no turn of the loop", function()
    local log, lines = collector "trace"
    local ws = WebSocket.new { url = "ws://127.0.0.1:1/", log = log }
    ws:pause()
    ws:resume()
    for _ = 1, 3 do WebSocket.step(0) end
    assert.same({}, lines)
    assert.is_nil(WebSocket.timeout())
  end)

  it("is that of a table of options: no metamethods, no unknown names", function()
    local function refused(log)
      local ok, message = pcall(WebSocket.new, { url = "ws://h/", log = log })
      assert.is_false(ok)
      local ws = WebSocket.new "ws://h/"
      local assigned, again = pcall(function() ws.log = log end)
      assert.is_false(assigned)
      assert.is_nil(ws.log)
      assert.equal(message:match "option.*", again:match "option.*")
      return message
    end
    assert.matches("option 'log.levl' is unknown; did you mean 'level'%?", refused { levl = "debug" })
    assert.matches("option 'log.level' is missing", refused(setmetatable({}, { __index = { level = "debug" } })))
    assert.matches("option 'log.level' is \"loud\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\" expected",
      refused { level = "loud" })
    assert.matches("option 'log.to' is a boolean, function expected", refused { level = "debug", to = true })
    assert.matches("option 'log.1' is unknown", refused { "debug" })
  end)
end)

describe("a log with levels that fails", function()
  after_each(finally)

  it("loses no event, no error and no line", function()
    local server = Peer.listen()
    local seen, failed = {}, 0
    local client = watched.new { url = server.url, name = "prices", log = {
      level = "trace",
      to = function(level, line)
        seen[#seen + 1] = level .. " " .. line
        failed = failed + 1
        error(("on purpose %d"):format(failed), 0)
      end,
    } }
    client.ws:connect()
    local conn
    local errors = turn.through(function()
      server:arrivals()
      conn = conn or server.all[1]
      if conn and conn.inbox:find "\r\n\r\n" and not conn.asked then conn.asked = true end
      return client.story[1] and server:arrivals() == 1
    end, "the connection")
    local more = turn.through(function() return client.story[1] == "connecting" and #seen > 8 end, "the request")
    for _, message in ipairs(more) do errors[#errors + 1] = message end
    assert.equal(failed, #errors)
    for i, message in ipairs(errors) do assert.matches("^on purpose " .. i .. "%f[%D]", message) end
    client.ws.log = nil
    server:welcome():text "hello"
    client:await "messages"
    assert.equal("connecting on_open open on_message", client:told())
  end)

  it("may do anything: close, send, wait for nothing, set another log", function()
    for _, pattern in ipairs { "looking up", "trying", "> Host", "< HTTP", "> text", "< text" } do
      local server = Peer.listen()
      local client
      client = watched.connect { url = (server.url:gsub("127.0.0.1", "localhost")), name = "prices", log = {
        level = "trace",
        to = function(_, line, ws)
          if line:find(pattern) then
            ws:close()
            ws.log = nil
            ws:send "too late"
          end
        end,
      } }
      client.ws:send "one"
      turn.till(function()
        -- It hangs up in the middle of that.
        if server:arrivals() > server.taken then pcall(function() server:welcome():text "two" end) end
        return client.ws.status == "closed" or client.ws.status == "closing"
      end, "the end, at " .. pattern)
      finally()
    end
  end)
end)

describe("no secret is in a line at any level", function()
  after_each(finally)
  local SECRET = "s3cr3t-that-nobody-may-see"

  -- Runs a client for a while, and fails when the secret is in what its log has.
  local function expect_silence(options, serve)
    local log, lines = collector "trace"
    options.name, options.log = "prices", log
    options.reconnect = { min_delay = 0.01, jitter = 0, max_attempts = 2 }
    options.connect_timeout, options.close_timeout = 1, 0.05
    local client = watched.connect(options)
    if serve then serve(client) else client:await("errors", 2) end
    client.ws:close()
    client:await_status "closed"
    local text = table.concat(lines, "\n")
    assert(#lines > 3, text)
    assert.is_nil(text:find(SECRET, 1, true), text)
    assert.is_nil(text:find((require "mime".b64("user:" .. SECRET)), 1, true), text)
    return text
  end

  local function with_user(url)
    return (url:gsub("//", "//user:" .. SECRET .. "@"))
  end

  it("of the request's headers, those of the user", function()
    local server = Peer.listen()
    local text = expect_silence({ url = with_user(server.url), headers = {
      Cookie = "session=" .. SECRET, ["X-Api-Key"] = SECRET, ["X-Whatever"] = { SECRET, SECRET },
    } }, function(client)
      server:welcome()
      client:await "opens"
    end)
    assert.matches("> Authorization: …\n", text)
    assert.matches("> Cookie: …\n", text)
    assert.matches("> X%-Whatever: …\n", text)
  end)

  it("of an Authorization that the user gives, in any case", function()
    local server = Peer.listen()
    expect_silence({ url = server.url, headers = { aUTHORIZATION = "Bearer " .. SECRET } }, function(client)
      server:welcome()
      client:await "opens"
    end)
  end)

  it("of the answer's headers", function()
    local server = Peer.listen()
    for _, status in ipairs { "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 403 Forbidden" } do
      local text = expect_silence({ url = server.url }, function(client)
        local conn = server:accept()
        conn:upgrade { status = status, headers = { ["Set-Cookie"] = "id=" .. SECRET, ["X-Token"] = SECRET,
          ["Content-Length"] = status:find "403" and "0" or nil,
          Location = "wss://user:" .. SECRET .. "@h/?a=1&token=" .. SECRET } }
        turn.till(function() return client.opens[1] or client.errors[1] end, "the answer")
      end)
      assert.matches("< set%-cookie: …\n", text)
    end
  end)

  it("of URLs: their users, and tokens in their queries", function()
    local server = Peer.listen()
    for _, query in ipairs { "access_token=" .. SECRET, "a=1&sig=" .. SECRET, SECRET, "x=" .. SECRET } do
      local text = expect_silence({ url = with_user(server.url) .. "?" .. query }, function(client)
        server:welcome()
        client:await "opens"
      end)
      assert.matches("connected to ws://127.0.0.1:%d+/%?[%w_=&]*… at", text)
    end
    expect_silence { url = "ws://user:" .. SECRET .. "@127.0.0.1:1/?token=" .. SECRET }
    expect_silence { url = "ws://user:" .. SECRET .. "@nothing.invalid/?token=" .. SECRET }
  end)

  it("of subprotocols that carry a token", function()
    local server = Peer.listen()
    for _, protocols in ipairs { { "bearer", "s3cr3t" }, { "v1", "base64url.bearer.authorization.k8s.io.s3cr3t" } } do
      local text = expect_silence({ url = server.url, protocols = protocols }, function(client)
        server:welcome()
        client:await "opens"
      end)
      assert.is_nil(text:find "s3cr3t")
      assert.matches("> Sec%-WebSocket%-Protocol: " .. protocols[1] .. ", …\n", text)
    end
  end)

  it("of proxies", function()
    local server, proxy = Peer.listen(), Proxy.listen()
    expect_silence({ url = server.url, proxy = with_user(proxy.url) }, function(client)
      server:welcome()
      client:await "opens"
    end)
    for _, scheme in ipairs { "http", "https", "socks5", "socks5h" } do
      expect_silence { url = server.url, proxy = scheme .. "://user:" .. SECRET .. "@127.0.0.1:1" }
    end
    local socks = Socks.listen { user = "user", password = "another" }
    expect_silence { url = server.url, proxy = with_user(socks.url) }
  end)

  it("of TLS: the key's password", function()
    local server = Peer.listen { tls = { cert = certs.good.cert, key = certs.good.key, client_ca = certs.ca } }
    expect_silence({ url = server.url, tls = { ca_file = certs.ca, cert_file = certs.client.cert,
      key_file = certs.client_locked.key, key_password = SECRET } })
  end)
end)

describe("control characters in a line", function()
  after_each(finally)

  it("are harmless wherever they come from", function()
    local evil, in_header = "\27]0;evil\7\u{9B}2J\u{202E}\xFF", "\u{9B}2J\u{202E}\xFF"
    local log, lines = collector "trace"
    local server = Peer.listen()
    local client = watched.connect { url = server.url, name = "prices", log = log,
      reconnect = { min_delay = 0.01, jitter = 0 } }
    server:accept():reply("HTTP/1.1 403 " .. evil, { ["Content-Length"] = "0", Server = in_header, Via = evil })
    client:await "errors"
    local conn = server:welcome { headers = { Server = in_header } }
    client:await "opens"
    conn:binary(evil)
    conn:text(evil:sub(1, -2))
    conn:ping(evil)
    conn:close(4000, evil:sub(1, -2))
    conn:finish()
    client:await "closes"
    assert(#lines > 20)
    for _, line in ipairs(lines) do
      assert.is_nil(line:find "[%c\x7F]", line)
      assert.is_truthy(utf8.len(line), line)
      assert.is_nil(line:find("\u{9B}", 1, true), line)
      assert.is_nil(line:find("\u{202E}", 1, true), line)
    end
  end)
end)

describe("STEADYSOCKET_LOG", function()
  after_each(finally)

  local PROGRAM = [[
    local WebSocket = require "steadysocket"
    local ws = WebSocket.new { url = arg[1], name = "prices" }
    if arg[2] == "true" then ws.log = true end
    if arg[2] == "function" then ws.log = function(level, line) print(level .. " " .. line) end end
    ws.on_open = function() ws:send "hello" ws:close() end
    ws:connect()
    WebSocket.new(arg[1]) -- another one
    WebSocket.run()
  ]]

  local function run(value, log, server)
    return child.run(PROGRAM, { server:url(), log or "none" },
      { environment = value and "STEADYSOCKET_LOG=" .. child.quote(value) })
  end

  it("has each client tell on standard error, with the time in milliseconds", function()
    local server = Server.start()
    local seen = run("trace", nil, server)
    assert.equal(0, seen.code)
    assert.equal("", seen.out)
    local lines = {}
    for line in seen.err:gmatch "[^\n]+" do
      local rest = line:match "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d%d%d (.*)$"
      assert.is_truthy(rest, line)
      lines[#lines + 1] = rest
    end
    expect_in_order(lines, { "^info: prices: connecting$", "^debug: prices: attempt 1: ", "^debug: prices: > GET",
      "^info: prices: connected", "^trace: prices: > text, FIN, 5 bytes: hello$", "^info: prices: closed$" })
  end)

  it("filters by level, in any case, and 'off' and nothing are none", function()
    local server = Server.start()
    for value, expected in pairs { INFO = { info = true }, debug = { info = true, debug = true }, error = {},
      warn = {}, off = {}, [""] = {} } do
      local result, levels = run(value, nil, server), {}
      for level in result.err:gmatch "%d (%a+): prices" do levels[level] = true end
      assert.same(expected, levels, value)
    end
    assert.equal("", run(nil, nil, server).err)
  end)

  it("does not take the program's own log away, and tells nothing twice", function()
    local server = Server.start()
    local result = run("debug", "function", server)
    assert.matches("^info prices: connecting\n", result.out)
    assert.is_nil(result.out:find "debug")
    assert.matches(" debug: prices: > GET", result.err)
    assert.matches(" info: prices: connecting", result.err)
    for _, value in ipairs { "error", "info", "debug" } do
      local _, count = run(value, "true", server).err:gsub("info: prices: connecting\n", "")
      assert.equal(1, count)
    end
  end)

  it("says once when it is no level, and the program runs on", function()
    local server = Server.start()
    local result = run("lo\27ud", "none", server)
    assert.equal(0, result.code)
    assert.equal('steadysocket: STEADYSOCKET_LOG is "lo\\x1bud"; "off", "error", "warn", "info", "debug" or "trace" '
      .. "expected; nothing is logged\n", result.err)
  end)
end)

describe("a log that is off", function()
  teardown(preload.remove_all)
  after_each(finally)

  -- What is formatted while messages go back and forth.
  local PROGRAM = [[
    local WebSocket = require "steadysocket"
    local file, count = os.tmpname(), 0
    os.remove(file)
    local ws = WebSocket.new { url = arg[1], confirm = true, log = arg[2] ~= "off" and { level = arg[2], to = print } }
    ws.on_open = function() ws:send "x" end
    ws.on_message = function(_, _, ws)
      count = count + 1
      if count == 10 then assert(io.open(os.getenv "COUNTED", "w")):close() end
      if count == 110 then os.remove(os.getenv "COUNTED") end
      if count == 110 then ws:close() else ws:send "x" end
    end
    ws:connect()
    WebSocket.run()
  ]]

  it("formats nothing", function()
    local counting = preload.environment "counted_format"
    if not counting then return pending "no C compiler" end
    local server = Server.start()
    local function formatted(level)
      local name = os.tmpname()
      os.remove(name)
      local result = child.run(PROGRAM, { server:url(), level }, { environment = counting .. " COUNTED=" .. name })
      assert.equal(0, result.code, result.err)
      return tonumber(result.err:match "formatted (%d+)\n")
    end
    assert.equal(0, formatted "off")
    assert.equal(0, formatted "info")
    assert(formatted "debug" >= 100)
    assert(formatted "trace" >= 200)
  end)
end)

describe("the command", function()
  after_each(finally)

  local function run(words, url)
    words[#words + 1] = "--wait=0.1"
    words[#words + 1] = url
    return Command.start(words, { input = "hello\n" }):result()
  end

  it("prints each step with -v, and each frame with -vv, on standard error", function()
    local server = Server.start()
    local plain, steps, frames = run({}, server:url()), run({ "-v" }, server:url()), run({ "-vv" }, server:url())
    for _, result in ipairs { plain, steps, frames } do
      assert.equal(0, result.code)
      assert.equal("hello\n", result.out)
    end
    assert.is_nil(plain.err:find "> GET")
    assert.matches("\nsteadysocket: > GET /echo HTTP/1.1\n", steps.err)
    assert.is_nil(steps.err:find "> text")
    assert.matches("\nsteadysocket: > GET /echo HTTP/1.1\n", frames.err)
    assert.matches("\nsteadysocket: > text, FIN, 5 bytes: hello\n", frames.err)
    assert.matches("\nsteadysocket: < text, FIN, 5 bytes: hello\n", frames.err)
  end)

  it("tells nothing twice, and each of -v, --verbose and -q by itself", function()
    local server = Server.start()
    local result = run({ "--verbose", "-v" }, server:url())
    assert.equal(2, select(2, result.err:gsub("connected to", "")), result.err) -- TCP, and the notice
    assert.matches("> text, FIN", result.err)
    result = run({ "-qv" }, server:url())
    assert.matches("> GET", result.err)
    assert.is_nil(result.err:find "closed %(code")
  end)

  it("does not tear the line that is typed in a terminal", function()
    local server = Server.start()
    local command = Command.start({ "-vv", server:url() }, { terminal = true })
    command:shows("out", "(> GET /echo HTTP)")
    command:write "hello\n"
    command:shows("out", "(< text, FIN, 5 bytes: hello)")
    assert.is_nil(command:shown("err"):find "GET")
    command:write "\4"
    assert.equal(0, command:result().code)
  end)
end)
