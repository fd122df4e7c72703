-- What SECURITY.md promises, seen from outside: from the wire, and from what a program can print.

local Peer = require "support.peer"
local Proxy = require "support.proxy"
local WebSocket = require "steadysocket"
local certs = require "support.certs"
local turn = require "support.turn"
local watched = require "support.watched"

local SECRET = "hunter2"

-- Resident memory of this process, at its most, in KiB.
local function peak_memory()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmHWM:%s+(%d+)"
    if kib then return tonumber(kib) end
  end
end

local function run(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a"
end

describe("security:", function()
  after_each(function()
    watched.end_all()
    Proxy.close_all()
  end)

  describe("a server whose certificate does not fit", function()
    local URL = "wss://localhost:%d/"
    local CASES = {
      ["is of an unknown authority"] = certs.unknown,
      ["is self-signed"] = certs.self_signed,
      ["has expired"] = certs.expired,
      ["is for another name"] = certs.wrong_host,
    }

    for what, pair in pairs(CASES) do
      it("since it " .. what .. ", gets no byte of the request", function()
        local server = Peer.listen { tls = pair }
        local client = watched.connect({
          url = URL:format(server.port),
          headers = { Authorization = "Bearer " .. SECRET },
          tls = { ca_file = certs.ca },
        }, "first")
        assert.equal("tls", client:await("errors", 1).kind)
        assert.equal("tls", client:await("errors", 2).kind)
        assert.same({}, client.opens)
        for _, conn in ipairs(server.all) do assert.equal("", conn.inbox or "") end
      end)
    end
  end)

  describe("nothing that a program gives breaks out of its place in the request:", function()
    -- Options with a dangerous piece of text in each place where there can be one.
    local function places(text)
      return {
        { headers = { ["X-A"] = "a" .. text } },
        { headers = { ["X-A" .. text] = "a" } },
        { headers = { ["X-A"] = { "a", text } } },
        { headers = function() return { ["X-A"] = text } end },
        { origin = "http://a" .. text },
        { protocols = "a" .. text },
        { protocols = { "a", "b" .. text } },
        { path = "/a" .. text .. "b" },
        { path = "/?a=" .. text },
        { user = "user" .. text },
      }
    end

    for name, text in pairs { CR = "\rX-Evil: 1", LF = "\nX-Evil: 1", CRLF = "\r\nX-Evil: 1", NUL = "\0" } do
      it("no " .. name, function()
        for _, options in ipairs(places(text)) do
          local server = Peer.listen()
          local user = options.user and options.user .. "@" or ""
          options.url = ("ws://%s127.0.0.1:%d%s"):format(user, server.port, options.path or "/")
          options.path, options.user, options.reconnect = nil, nil, false
          local ok, ws = pcall(WebSocket.new, options)
          if ok then -- then the attempt fails, or what is sent is harmless
            ws:connect()
            turn.till(function() return ws.status == "closed" or server:arrivals() == 1 end, "an end")
            if server:arrivals() == 1 then
              local request = server:accept():request()
              assert.is_nil(request.headers["x-evil"])
              assert.is_nil(request.raw:find "[^\r]\n" or request.raw:find "\r[^\n]" or request.raw:find "%z")
            end
            ws:close()
          end
        end
      end)
    end
  end)

  it("no password is in a message, a log line, a property or tostring", function()
    local server, proxy = Peer.listen(), Proxy.listen()
    local told = {}
    local function tell(...)
      for _, value in ipairs { ... } do
        told[#told + 1] = tostring(value)
        if type(value) == "table" then
          for key, field in pairs(value) do told[#told + 1] = key .. "=" .. tostring(field) end
        end
      end
    end
    local function try(options)
      options.headers = { Authorization = "Bearer " .. SECRET, Cookie = "session=" .. SECRET }
      options.reconnect = { min_delay = 0.01, max_delay = 0.01, max_attempts = 2 }
      options.connect_timeout = 0.5
      for _, name in ipairs { "open", "close", "error", "status" } do options["on_" .. name] = tell end
      options.log = tell
      local ws = WebSocket.new(options)
      ws:connect()
      turn.till(function()
        if server:arrivals() > server.taken then
          server:accept():reply("HTTP/1.1 403 Forbidden", { ["Content-Length"] = "0" })
        end
        return ws.status == "closed"
      end, "the client to give up")
      tell(ws, ws.url, ws.name, ws.last_error, ws:connect(), ws:connect())
      ws:close()
      tell(pcall(ws.close, ws, 1))
      turn.till(function() return ws.status == "closed" end, "the end")
    end
    local user = "//user:" .. SECRET .. "@"
    try { url = (server.url:gsub("//", user)) }
    try { url = "ws:" .. user .. "127.0.0.1:1/" }
    try { url = "wss:" .. user .. "127.0.0.1:" .. server.port .. "/" }
    try { url = "ws:" .. user .. "nothing.invalid/" }
    try { url = server.url, proxy = (proxy.url:gsub("//", user)) }
    try { url = server.url, proxy = "http:" .. user .. "127.0.0.1:1" }
    for _, scheme in ipairs { "https", "socks5", "socks5h" } do
      try { url = server.url, proxy = scheme .. ":" .. user .. "127.0.0.1:" .. proxy.port }
      try { url = server.url, proxy = scheme .. ":" .. user .. "127.0.0.1:" .. server.port }
    end
    try { url = function() return "no url " end, proxy = "http:" .. user .. "nothing.invalid:1" }
    try {
      url = "wss://127.0.0.1:" .. server.port .. "/",
      tls = { cert_file = certs.client.cert, key_file = certs.client_locked.key, key_password = SECRET },
    }
    for _, url in ipairs { "ws:" .. user .. "a b/", "http:" .. user .. "h/", "ws:" .. user,
      "socks5:" .. user .. ("x"):rep(300), "socks4:" .. user .. "h", user:sub(3) .. "h:1" } do
      tell(pcall(WebSocket.new, url))
      tell(pcall(WebSocket.new, { url = "ws://h/", proxy = url }))
    end
    tell(pcall(WebSocket.new, { url = "ws://h/", headers = { Host = SECRET } }))
    assert(#told > 100)
    for _, text in ipairs(told) do assert.is_nil(text:find(SECRET, 1, true), text) end
  end)

  it("a redirect is an error, and nothing goes to where it points", function()
    local server, elsewhere = Peer.listen(), Peer.listen()
    local client = watched.connect { url = server.url, headers = { Authorization = SECRET } }
    server:accept():reply("HTTP/1.1 302 Found", { Location = elsewhere.url, ["Content-Length"] = "0" })
    local event = client:await "errors"
    assert.equal("http", event.kind)
    assert.equal(302, event.http_status)
    turn.never(function() return elsewhere:arrivals() > 0 end, "a connection", 0.1)
  end)

  it("mask keys differ from frame to frame, and no bit of theirs is more often set than not", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    local conn = server:welcome()
    client:await "opens"
    local COUNT = 4000
    for _ = 1, COUNT do client.ws:send "" end
    local seen, distinct, ones = {}, 0, {}
    for bit = 0, 31 do ones[bit] = 0 end
    for _ = 1, COUNT do
      local key = (">I4"):unpack(conn:receive_frame().key)
      if not seen[key] then distinct = distinct + 1 end
      seen[key] = true
      for bit = 0, 31 do ones[bit] = ones[bit] + (key >> bit & 1) end
    end
    assert(distinct > COUNT - 5, distinct) -- two of 4,000 are the same once in 500 runs
    local bound = 6 * math.sqrt(COUNT) / 2 -- six standard deviations: once in ten million runs
    for bit = 0, 31 do
      assert(math.abs(ones[bit] - COUNT / 2) < bound, ("bit %d: %d"):format(bit, ones[bit]))
    end
  end)

  it("a message that inflates to more than max_message_size ends early, and takes little memory", function()
    local bomb = run("/usr/bin/python3 -c 'import sys, zlib; c = zlib.compressobj(9, 8, -15); "
      .. "sys.stdout.buffer.write(c.compress(bytes(256 << 20)) + c.flush(2))'")
    assert(#bomb > 200000 and #bomb < 400000)
    local server = Peer.listen()
    local client = watched.connect { url = server.url, compression = true, max_message_size = 4 << 20 }
    local conn = server:welcome { headers = { ["Sec-WebSocket-Extensions"] = "permessage-deflate" } }
    client:await "opens"
    local before = peak_memory()
    conn:frame("binary", bomb:sub(1, -5), { rsv = 4 })
    assert.equal("too_large", client:await("errors").kind)
    assert.equal(1009, client:await("closes").code)
    assert.same({}, client.messages)
    local grown = peak_memory() - before
    if not os.getenv "LD_PRELOAD" then assert(grown < 16 << 10, grown .. " KiB") end
  end)

  it("what a server says reaches messages without control characters", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url }
    server:accept():reply("HTTP/1.1 403 \27[2JNo\7", { ["Content-Length"] = "0" })
    local message = client:await("errors").message
    assert.is_nil(message:find "%c", message)
  end)
end)
