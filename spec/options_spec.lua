local WebSocket = require "steadysocket"
local turn = require "support.turn"
local watched = require "support.watched"

local URL = "ws://127.0.0.1:1/"

-- The message of what fn(...) raises.
local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "nothing was raised")
  return message
end

-- An option's value, of which the others are fine.
local function options(name, value)
  local result = { url = URL }
  local group, field = name:match "^(%w+)%.(.*)$"
  if group then
    result[group] = { [field] = value }
  else
    result[name] = value
  end
  return result
end

local function new(...)
  return (WebSocket.new(...)) -- no tail call: errors say from where they come
end

describe("new", function()
  after_each(watched.end_all)

  it("takes a URL, a handler and a name", function()
    local function on_message() end
    local ws = WebSocket.new(URL, on_message, "prices")
    assert.equal(URL, ws.url)
    assert.equal(on_message, ws.on_message)
    assert.equal("prices", ws.name)
  end)

  it("takes a URL alone", function()
    for _, ws in ipairs { WebSocket.new(URL), WebSocket.new(URL, nil, nil) } do
      assert.equal(URL, ws.url)
      assert.is_nil(ws.on_message)
      assert.equal("default", ws.name)
    end
  end)

  it("takes a table of options", function()
    local function on_open() end
    local ws = WebSocket.new {
      url = { URL, "wss://example.com/other" },
      name = "prices",
      headers = { ["X-One"] = "1", ["X-Two"] = { "2", 3 } },
      protocols = { "chat", "superchat" },
      origin = "http://example.com",
      reconnect = {
        min_delay = 0,
        max_delay = 1,
        factor = 1.5,
        jitter = 0.5,
        min_uptime = 0,
        max_attempts = math.huge,
      },
      connect_timeout = 1,
      close_timeout = 0,
      queue = { max_bytes = math.huge, max_messages = 10, overflow = "drop_oldest" },
      tls = { verify = false, server_name = "example.com" },
      max_message_size = 1,
      log = false,
      on_open = on_open,
    }
    assert.equal("prices", ws.name)
    assert.equal(on_open, ws.on_open)
    assert.equal("idle", ws.status)
  end)

  it("takes one subprotocol as a string, and switches instead of groups", function()
    WebSocket.new { url = URL, protocols = "chat", reconnect = false }
    WebSocket.new { url = URL, reconnect = true }
  end)

  it("raises for arguments that are not what they should be", function()
    assert.matches("bad argument #1 to 'new'", raised(function() WebSocket.new() end))
    for _, wrong in ipairs { true, print, io.stdout } do
      assert.matches("bad argument #1 to '[%w.]*new'", raised(new, wrong))
    end
    for _, wrong in ipairs { true, "print", {} } do
      assert.matches("bad argument #2 to '[%w.]*new'", raised(new, URL, wrong))
    end
    for _, wrong in ipairs { true, {}, "with\0NUL" } do
      assert.matches("bad argument #3 to '[%w.]*new'", raised(new, URL, nil, wrong))
    end
  end)

  it("raises without a URL", function()
    assert.matches("option 'url' is missing", raised(new, {}))
  end)

  local NOT_URLS = {
    "", "example.com", "//example.com", "http://example.com/", "https://example.com/",
    "wss:/example.com", "ws://", "ws:///path", "ws://host:0/", "ws://host:65536/", "ws://host:x/",
    "ws://host/#fragment", "ws://host/with blank", "ws://host/\r\nX-Evil: 1", "ws://[::1/",
    "ws://host\0/", "ws://ho\nst/",
  }

  for _, text in ipairs(NOT_URLS) do
    it(("raises for the URL %q"):format(text), function()
      local pattern = "WebSocket URL: the URL "
      assert.matches("bad argument #1 to '[%w.]*new' .*" .. pattern, raised(new, text))
      assert.matches("option 'url' .*" .. pattern, raised(new, { url = text }))
      assert.matches("option 'url' .*" .. pattern, raised(new, { url = { URL, text } }))
    end)
  end

  it("raises for require_protocol where no protocols are offered", function()
    assert.matches("option 'require_protocol' is of no use without protocols",
      raised(new, { url = URL, require_protocol = true }))
    new { url = URL, require_protocol = true, protocols = function() return "a" end }
    new { url = URL, require_protocol = true, protocols = "a" }
  end)

  -- What is not a value for an option, by its name.
  local NAN = 0 / 0
  local WRONG = {
    { "url", 42, true, {}, { 1 } },
    { "connect_to", 42, true, "h", "h:0", "ws://h:80" },
    { "local_address", 42, true, "", "eth0", "127.0.0.1\0" },
    { "redirects", -1, 21, 0.5, NAN, "1", true },
    { "name", 42, true, {}, "with\0NUL", "line\nfeed" },
    { "headers", "X: 1", 42, { ["X-One"] = true } },
    { "protocols", 42, {}, { 42 }, "with blank", "", "a,b", { "twice", "twice" } },
    { "require_protocol", 1, "yes" },
    { "origin", 42, {}, "http://host\r\nX-Evil: 1", "nul\0", "line\nfeed" },
    { "reconnect", 42, "yes" },
    { "reconnect.min_delay", -1, NAN, math.huge, "1", true },
    { "reconnect.max_delay", -1, NAN, math.huge, "1" },
    { "reconnect.factor", 0.5, NAN, math.huge, "2" },
    { "reconnect.jitter", -0.1, 1.1, NAN, true },
    { "reconnect.min_uptime", -1, NAN, "5" },
    { "reconnect.max_attempts", 0, -1, 1.5, NAN, "3" },
    { "connect_timeout", 0, -1, NAN, math.huge, "10", true },
    { "close_timeout", -1, NAN, math.huge, "5" },
    { "queue", true, 42, "refuse" },
    { "queue.max_bytes", -1, 0.5, NAN, "1" },
    { "queue.max_messages", -1, 0.5, NAN, "1" },
    { "queue.overflow", "drop", "", 1, true },
    { "tls", true, "no", 42 },
    { "tls.verify", 0, "no" },
    { "tls.ca_file", true, 42, "with\0NUL" },
    { "tls.server_name", true, 42, "with\0NUL", "", "a\r\nb", ".a" },
    { "max_message_size", 0, -1, 1.5, NAN, math.huge, "1" },
    { "log", "yes", 1, {}, { to = print } },
    { "log.level", 1, true, "", "loud", "off", "debug\0" },
    { "log.to", "stderr", true, {}, io.stderr },
    { "on_open", true, "f", {} },
    { "on_message", true, "f", {} },
    { "on_close", true, "f", {} },
    { "on_error", true, "f", {} },
    { "on_status", true, "f", {} },
  }

  for _, row in ipairs(WRONG) do
    it("raises for what is no value of " .. row[1], function()
      for i = 2, #row do
        local message = raised(new, options(row[1], row[i]))
        assert.matches("options_spec.lua:%d+: option '" .. row[1], message)
      end
    end)
  end

  it("says what it got, and what it expected", function()
    assert.matches("option 'name' is a boolean, string expected",
      raised(new, { url = URL, name = true }))
    assert.matches("option 'connect_timeout' is a string, number expected",
      raised(new, { url = URL, connect_timeout = "1" }))
    assert.matches("option 'reconnect.jitter' is 2, a number from 0 to 1 expected",
      raised(new, options("reconnect.jitter", 2)))
    assert.matches('option \'queue.overflow\' is "drop", "refuse" or "drop_oldest" expected',
      raised(new, options("queue.overflow", "drop")))
    assert.matches("option 'on_open' is a table, function expected",
      raised(new, options("on_open", {})))
  end)

  it("tells numbers so that what it got differs from what it expected", function()
    for _, row in ipairs {
      { "max_message_size", (1 << 48) + 1, "281474976710657, an integer from 1 to 281474976710656 expected" },
      { "max_message_size", (1 << 48) + 0.5, "281474976710656.5, an integer from 1 to 281474976710656 expected" },
      { "reconnect.jitter", 1 + 2 ^ -52, "1.0000000000000002, a number from 0 to 1 expected" },
      { "connect_timeout", 0, "0, a number from 0.001 to 1000000000 expected" },
    } do
      local message = raised(new, options(row[1], row[2]))
      assert.equal("option '" .. row[1] .. "' is " .. row[3], message:match "option .*")
    end
  end)

  it("shows no byte that could command a terminal, and what is behind a NUL byte, too", function()
    for _, row in ipairs {
      { { protocols = "a\0b" }, [[option 'protocols' has "a\x00b", which ]] },
      { { protocols = "a\27[2J" }, [[option 'protocols' has "a\x1b[2J", which ]] },
      { { headers = { ["X\27[2J"] = "1" } }, [[option 'headers.X\x1b[2J' ]] },
      { { headers = { ["X\0Y"] = "1" } }, [[option 'headers.X\x00Y' ]] },
      { { ["na\rme"] = "1" }, [[option 'na\x0dme' is unknown; did you mean 'name'?]] },
      { { ["na\0me"] = "1" }, [[option 'na\x00me' is unknown: ]] },
      { { tls = { ["\27"] = 1 } }, [[option 'tls.\x1b' is unknown]] },
      { { queue = { overflow = "\27" } }, [[option 'queue.overflow' is "\x1b", ]] },
      { { url = { URL, ["\27\0"] = 1 } }, [[it has the key '\x1b\x00']] },
      { { log = { level = "\27\0" } }, [[option 'log.level' is "\x1b\x00", ]] },
      { { log = { level = "debug", ["\27\0"] = 1 } }, [[option 'log.\x1b\x00' is unknown]] },
    } do
      row[1].url = row[1].url or URL
      local message = raised(new, row[1])
      assert.is_truthy(message:find(row[2], 1, true), message)
      assert.is_nil(message:find "%c", message)
    end
    local client = new(URL)
    assert.matches("invalid option 'te\\x1bxt'", raised(client.send, client, "data", "te\27xt"))
    assert.matches("'\\x1b' cannot be set", raised(function() client["\27"] = 1 end))
  end)

  it("says which times a timer cannot have", function()
    for name, least in pairs { after = "0", every = "0%.001" } do
      for _, seconds in ipairs { math.huge, -1 } do
        assert.matches("a finite number of seconds, " .. least .. " or more, expected",
          raised(WebSocket[name], seconds, print))
      end
    end
  end)

  it("raises for names that no option has, and says what may have been meant", function()
    local unknown = {
      { "on_mesage", "on_message" },
      { "Name", "name" },
      { "protocol", "protocols" },
      { "header", "headers" },
      { "max_mesage_size", "max_message_size" },
      { "reconnect.min_dely", "min_delay" },
      { "queue.owerflow", "overflow" },
      { "tls.cafile", "ca_file" },
    }
    for _, row in ipairs(unknown) do
      local message = raised(new, options(row[1], 1))
      assert.matches("option '" .. row[1] .. "' is unknown; did you mean '" .. row[2] .. "'?",
        message)
    end
    assert.matches("option 'frobnicate' is unknown$", raised(new, options("frobnicate", 1)))
    assert.matches("option 'tls.frobnicate' is unknown$",
      raised(new, options("tls.frobnicate", 1)))
    assert.matches("option '1' is unknown", raised(new, { URL }))
    assert.matches("option 'true' is unknown", raised(new, { url = URL, [true] = 1 }))
  end)

  it("raises for header names and values that would break the request", function()
    local names = { "", "X One", "X\r\nEvil", "X:", "X\0" }
    local owned = {
      "Host", "upgrade", "CONNECTION", "Sec-WebSocket-Key", "sec-websocket-protocol",
      "Sec-WebSocket-Anything",
    }
    for _, list in ipairs { names, owned } do
      for _, name in ipairs(list) do
        local message = raised(new, { url = URL, headers = { [name] = "value" } })
        assert.matches("option 'headers", message)
      end
    end
    for _, value in ipairs { "a\r\nX-Evil: 1", "a\nb", "a\rb", "nul\0" } do
      local message = raised(new, { url = URL, headers = { ["X-One"] = value } })
      assert.matches("option 'headers.X%-One' has a control character", message)
      message = raised(new, { url = URL, headers = { ["X-One"] = { "fine", value } } })
      assert.matches("option 'headers.X%-One' has a control character", message)
    end
  end)

  it("raises for options that contradict each other", function()
    assert.matches("reconnect.min_delay is greater than reconnect.max_delay",
      raised(new, { url = URL, reconnect = { min_delay = 2, max_delay = 1 } }))
    assert.matches("low_water is greater than high_water",
      raised(new, { url = URL, low_water = 2, high_water = 1 }))
  end)

  it("leaves nothing behind when it raises", function()
    local before = collectgarbage "count"
    for _ = 1, 200 do
      pcall(new, { url = { URL, URL }, headers = { A = "1" }, protocols = "a", name = 1 })
    end
    collectgarbage()
    collectgarbage()
    assert(collectgarbage "count" < before + 200)
    assert.is_false(WebSocket.step(0))
  end)
end)

describe("a client", function()
  it("has properties", function()
    local ws = WebSocket.new(URL, nil, "prices")
    local seen = {}
    for _, name in ipairs {
      "url", "name", "status", "protocol", "buffered_amount", "queued", "attempt", "last_error",
    } do
      seen[name] = ws[name]
    end
    assert.same({
      url = URL,
      name = "prices",
      status = "idle",
      buffered_amount = 0,
      queued = 0,
      attempt = 0,
    }, seen)
  end)

  it("counts what is queued in messages and payload bytes", function()
    local ws = WebSocket.new(URL)
    ws:send "four"
    ws:send ""
    ws:send("\xFF", "binary")
    assert.equal(3, ws.queued)
    assert.equal(5, ws.buffered_amount)
  end)

  it("has nothing by another name", function()
    local ws = WebSocket.new(URL)
    assert.is_nil(ws.frobnicate)
    assert.is_nil(ws[1])
    assert.is_nil(ws[true])
  end)

  it("shows its name, URL and status as a string", function()
    local ws = WebSocket.new(URL, nil, "prices")
    assert.equal('WebSocket client "prices" (ws://127.0.0.1:1/, idle)', tostring(ws))
  end)

  it("lets handlers be set, read, replaced and taken away", function()
    local ws = WebSocket.new(URL)
    for _, name in ipairs { "on_open", "on_message", "on_close", "on_error", "on_status", "log" } do
      assert.is_nil(ws[name])
      local function first() end
      local function second() end
      ws[name] = first
      assert.equal(first, ws[name])
      ws[name] = second
      assert.equal(second, ws[name])
      ws[name] = nil
      assert.is_nil(ws[name])
    end
    ws.log = true
    ws.log = false
  end)

  it("lets nothing else be set", function()
    local ws = WebSocket.new(URL)
    local names = { "name", "url", "status", "send", "on_mesage", "queued", 1, true, "anything" }
    for _, name in ipairs(names) do
      local message = raised(function() ws[name] = print end)
      assert.matches("'" .. tostring(name) .. "' cannot be set", message)
    end
  end)

  it("lets no handler be something else than a function", function()
    local ws = WebSocket.new(URL)
    for _, wrong in ipairs { true, "print", 42, {} } do
      local message = raised(function() ws.on_open = wrong end)
      assert.matches("'on_open' is a %w+, function expected", message)
    end
    assert.matches("'log' is a number, function, table or boolean expected",
      raised(function() ws.log = 1 end))
    assert.is_nil(ws.on_open)
  end)

  it("is needed by its methods", function()
    local ws = WebSocket.new(URL)
    for _, name in ipairs { "connect", "send", "close", "reconnect", "pause", "resume" } do
      for _, wrong in ipairs { "a client", io.stdout, {} } do
        assert.matches("steadysocket.client expected", raised(ws[name], wrong))
      end
    end
  end)

  it("raises for arguments of its methods that make no sense", function()
    local ws = WebSocket.new(URL)
    local wrong = {
      { "connect", {} }, { "connect", true }, { "connect", "data", "texts" },
      { "connect", "data", true },
      { "send" }, { "send", nil }, { "send", {} }, { "send", "data", "Text" },
      { "send", "data", 1 },
      { "close", "1000" .. "x" }, { "close", 1000, {} }, { "close", 1.5 },
    }
    for _, row in ipairs(wrong) do
      local name = row[1]
      local message = raised(function() ws[name](ws, row[2], row[3]) end)
      assert.matches("bad argument #%d to ", message)
    end
    assert.equal("idle", ws.status)
    assert.equal(0, ws.queued)
  end)

  it("sends close codes and reasons that a client may send, and raises for others", function()
    local ws = WebSocket.new(URL)
    local codes = { -1, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 1 << 40 }
    for _, code in ipairs(codes) do
      assert.matches("close codes are 1000 to 1003", raised(function() ws:close(code) end))
    end
    assert.matches("at most 123 bytes", raised(function() ws:close(1000, ("x"):rep(124)) end))
    assert.matches("must be UTF%-8", raised(function() ws:close(1000, "\xFF") end))
    assert.equal("idle", ws.status)
    for _, code in ipairs { 1000, 1001, 1002, 1003, 1007, 1008, 1014, 3000, 4999 } do
      local other = WebSocket.new(URL)
      assert.is_true(other:close(code, ("é"):rep(61)))
      assert.equal("closing", other.status)
    end
    turn.till(function()
      return not WebSocket.step(0)
    end, "the closed ones to be done with")
  end)
end)

describe("a password", function()
  after_each(watched.end_all)

  local SECRET = "s3cr3t"

  it("is shown by nothing that shows the URL", function()
    local lines = {}
    local client = watched.connect {
      url = ("ws://user:%s@127.0.0.1:1/path"):format(SECRET),
      headers = { Authorization = "Bearer " .. SECRET },
      log = function(_, line) lines[#lines + 1] = line end,
    }
    client:await("errors", 2)
    local ws, event = client.ws, client.errors[1]
    assert.equal("ws://127.0.0.1:1/path", ws.url)
    local shown = { ws.url, tostring(ws), ws.last_error, event.message, event.url }
    assert.equal(5, #shown)
    assert(#lines > 0)
    for _, text in ipairs(table.move(lines, 1, #lines, #shown + 1, shown)) do
      assert.is_nil(text:find(SECRET, 1, true))
      assert.is_nil(text:find("user", 1, true))
    end
  end)

  it("is shown by no error of new", function()
    local urls = {
      "http://user:%s@host/", "ws://user:%s@host:99999/", "ws://user:%s@/", "ws://user:%s@h/#f",
      "ws://us er:%s@host/", "ws://user:%s\r\n@host/", "ws://%s@host@host/ ", "user:%s@host",
    }
    for _, form in ipairs(urls) do
      local url = form:format(SECRET)
      for _, argument in ipairs { url, { url = url }, { url = { url } } } do
        assert.is_nil(raised(new, argument):find(SECRET, 1, true))
      end
    end
    local headers = { Authorization = SECRET .. "\r\n" }
    assert.is_nil(raised(new, { url = URL, headers = headers }):find(SECRET, 1, true))
  end)
end)
