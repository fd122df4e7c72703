-- Tables that are no plain ones where options are wanted, and strings with bytes that do not belong
-- there.

local Peer = require "support.peer"
local WebSocket = require "steadysocket"
local socket = require "socket"
local turn = require "support.turn"
local watched = require "support.watched"

local URL = "ws://127.0.0.1:1/"
local SOON = tonumber(os.getenv "SPEC_PATIENCE") or 1 -- seconds; more under valgrind and the like

local function raised(fn, ...)
  local start = socket.gettime()
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "nothing was raised")
  assert(socket.gettime() - start < SOON, "it took too long")
  return message
end

local function never() error "a metamethod was called" end

-- Every metamethod that reading a table could call.
local function with_metamethods(value, length)
  return setmetatable(value, {
    __index = never,
    __newindex = never,
    __len = length and function() return length end or never,
    __pairs = never,
    __call = never,
    __eq = never,
    __lt = never,
    __tostring = never,
    __name = "steadysocket.client",
  })
end

local LENGTHS = {
  -1, 0, 1, 3, math.mininteger, math.maxinteger, 1 << 62, 1.5, 0 / 0, math.huge, "many", {}, false,
}

describe("a table of options", function()
  after_each(watched.end_all)

  it("is read without its metamethods, and so is each table in it", function()
    local server = Peer.listen()
    for _, length in ipairs(LENGTHS) do
      local ws = WebSocket.new(with_metamethods({
        url = with_metamethods({ server.url }, length),
        headers = with_metamethods({ ["X-List"] = with_metamethods({ "a", "b" }, length) }, length),
        protocols = with_metamethods({ "chat" }, length),
        reconnect = with_metamethods({ min_delay = 0 }, length),
        tls = with_metamethods({ verify = false }, length),
      }, length))
      ws:connect()
      local conn = server:accept()
      local request = conn:request()
      assert.same({ "a", "b" }, request.headers["x-list"])
      assert.equal("chat", request.headers["sec-websocket-protocol"])
      ws:close()
      turn.till(function() return ws.status == "closed" end, "the end")
    end
  end)

  for _, name in ipairs { "url", "protocols" } do
    it("has no list of " .. name .. " that is empty, whatever its length says", function()
      for _, length in ipairs(LENGTHS) do
        local options = { url = URL }
        options[name] = with_metamethods({}, length)
        assert.matches("option '" .. name .. "' is an empty list", raised(WebSocket.new, options))
      end
    end)
  end

  it("has no list with a gap, or with other keys", function()
    local LISTS = {
      { [2] = "a" }, { nil, "a" }, { "a", nil, "b" }, { [1] = "a", [3] = "b" },
      { "a", x = "b" }, { "a", [0] = "b" }, { "a", [-1] = "b" }, { "a", [1.5] = "b" },
      { "a", [1 << 62] = "b" }, { "a", [true] = "b" }, table.pack("a", "b"),
    }
    for _, list in ipairs(LISTS) do
      for _, options in ipairs {
        { url = URL, protocols = list },
        { url = URL, headers = { X = list } },
      } do
        assert.matches("option '[%a.]+' is not a plain list", raised(WebSocket.new, options))
      end
      local urls = {}
      for key, value in pairs(list) do
        urls[key] = type(value) == "string" and "ws://127.0.0.1:1/" .. value or value
      end
      assert.matches("option 'url' is not a plain list", raised(WebSocket.new, { url = urls }))
    end
  end)

  it("may be long", function()
    local urls, headers = {}, {}
    for i = 1, 10000 do
      urls[i] = URL
      headers["X-" .. i] = "value"
    end
    local start = socket.gettime()
    WebSocket.new { url = urls, headers = headers }
    assert(socket.gettime() - start < SOON)
  end)

  it("that a function returns is read in the same way, at each attempt", function()
    for _, provider in ipairs { "url", "headers", "protocols" } do
      local returned = {
        with_metamethods({}, -1),
        with_metamethods({}, 1 << 62),
        { [2] = URL },
        with_metamethods({ [""] = "no name" }, 0),
        { a = "b", ["X\0"] = "c" },
        0,
        function() end,
        io.stdout,
      }
      local calls, errors = 0, 0
      local options = { url = URL, reconnect = { min_delay = 0, max_delay = 0 } }
      options[provider] = function()
        calls = calls + 1
        return returned[calls]
      end
      local ws = WebSocket.new(options)
      ws.on_error = function(event)
        errors = errors + 1
        if provider ~= "headers" or errors ~= 1 and errors ~= 2 then
          assert.equal("provider", event.kind)
          assert.matches("the " .. provider .. " function failed: ", event.message)
        end
        if errors == #returned then ws:close() end
      end
      ws:connect()
      WebSocket.run()
      assert.equal(#returned, errors)
      assert.equal(#returned, calls)
    end
  end)

  it("that is changed by a finalizer while it is read is an error at most", function()
    for _ = 1, 20 do
      local options = { url = { URL, URL }, headers = {} }
      for i = 1, 200 do options.headers["X-" .. i] = { "a", "b" } end
      for i = 1, 200 do
        setmetatable({}, { __gc = function()
          options.headers["Y-" .. i] = "c"
          options.headers["X-" .. i] = nil
          options.url = nil
        end })
      end
      collectgarbage "generational"
      pcall(WebSocket.new, options)
      collectgarbage "incremental"
      collectgarbage()
    end
  end)
end)

describe("a string with a NUL byte", function()
  it("is no name of an option behind which more stands", function()
    for _, name in ipairs {
      "url", "name", "headers", "protocols", "origin", "proxy", "log", "on_message", "reconnect",
      "should_reconnect", "connect_timeout",
    } do
      local message = raised(WebSocket.new, { url = URL, [name .. "\0more"] = 1 })
      assert.matches("option '" .. name .. "\\x00more' is unknown: its name has a NUL byte inside", message)
    end
    for group, field in pairs {
      reconnect = "min_delay", tls = "verify", queue = "overflow", heartbeat = "message",
      inbox = "max_bytes", compression = "level", headers = "X-One",
    } do
      local message = raised(WebSocket.new, { url = URL, [group] = { [field .. "\0"] = 1 } })
      assert.matches("option '" .. group .. ".*\\x00' is unknown: its name has a NUL", message)
    end
  end)

  it("is no value of any option", function()
    local strings = {
      "url", "name", "protocols", "origin", "proxy", "heartbeat.message", "heartbeat.reply",
      "queue.overflow", "tls.ca_file", "tls.cert_file", "tls.key_file", "tls.key_password",
      "tls.server_name", "headers.X",
    }
    local good = {
      url = URL, proxy = "http://127.0.0.1:1", ["queue.overflow"] = "refuse",
    }
    for _, name in ipairs(strings) do
      for _, value in ipairs { (good[name] or "a") .. "\0", (good[name] or "a") .. "\0b", "\0" } do
        local options = { url = URL }
        local group, field = name:match "^(%w+)%.(.*)$"
        if group then options[group] = { [field] = value } else options[name] = value end
        assert.matches("option '" .. name, raised(WebSocket.new, options))
      end
    end
    assert.matches("option 'proxy'", raised(WebSocket.new, { url = URL, proxy = "env\0" }))
  end)

  it("is none of the words that calls take", function()
    local ws = WebSocket.new(URL)
    local calls = {
      { "bad argument", ws.send, ws, "data", "text\0" },
      { "bad argument", ws.send, ws, "data", "binary\0more" },
      { "bad argument", ws.connect, ws, "data", "text\0" },
      { "bad argument", ws.close, ws, 1000, "bye\0more" },
      { "no status", ws.wait, ws, "open\0" },
      { "bad argument", WebSocket.new, URL, nil, "name\0" },
      { "WebSocket URL", WebSocket.new, URL .. "\0" },
      { "NUL", function() ws["on_open\0"] = print end },
    }
    for _, call in ipairs(calls) do
      assert.matches(call[1], raised(table.unpack(call, 2)))
    end
    assert.is_nil(ws["status\0"])
    assert.is_nil(ws["send\0"])
    assert.is_nil(ws.on_open)
    assert.equal(0, ws.queued)
    assert.equal("idle", ws.status)
  end)
end)

describe("a string option", function()
  -- Every byte but NUL, in the middle of what is good.
  local function accepted(name, good)
    local list = {}
    for byte = 1, 255 do
      local options = { url = URL }
      local group, field = name:match "^(%w+)%.(.*)$"
      local value = good:gsub("%%", { ["%"] = string.char(byte) })
      if group then options[group] = { [field] = value } else options[name] = value end
      if name == "heartbeat.message" then options.heartbeat.reply = "b" end
      if name == "tls.cert_file" then options.tls.key_file = "b" end
      if name == "tls.key_file" then options.tls.cert_file = "b" end
      if name == "tls.key_password" then options.tls.key_file, options.tls.cert_file = "b", "b" end
      if pcall(WebSocket.new, options) then list[#list + 1] = string.char(byte) end
    end
    return table.concat(list)
  end

  local function matching(class)
    local list = {}
    for byte = 1, 255 do
      local c = string.char(byte)
      if c:match(class) then list[#list + 1] = c end
    end
    return table.concat(list)
  end

  local TAKEN = {
    { "name", "a%b", "[^\1-\31\127]" },
    { "origin", "http://a%b", "[^\1-\8\10-\31\127]" },
    { "headers.X", "a%b", "[^\1-\8\10-\31\127]" },
    { "protocols", "a%b", "[%w!#$%%&'*+.^_`|~-]" },
    { "tls.server_name", "a%b", "[%w._-]" },
    { "tls.ca_file", "a%b", "." },
    { "tls.cert_file", "a%b", "." },
    { "tls.key_file", "a%b", "." },
    { "tls.key_password", "a%b", "." },
    { "heartbeat.message", "a%b", "[\1-\127]" },
    { "url", "ws://a%b/", "[%w._~/?@-]" },
    { "url", "ws://host/a%b", "[\33-\126]" },
    { "proxy", "http://a%b", "[%w._~@-]" },
  }
  for _, row in ipairs(TAKEN) do
    local name, form, class = table.unpack(row)
    it(("%s takes in %s the bytes of %q"):format(name, form, class), function()
      local want = matching(class)
      if name == "url" then want = want:gsub("[#%%]", "") end
      assert.same(("%q"):format(want), ("%q"):format(accepted(name, form)))
    end)
  end

  it("tls.server_name is a name of a host, or an address", function()
    local label = ("a"):rep(63)
    for _, good in ipairs {
      "a", "example.com", "EXAMPLE.com", "xn--bcher-kva.example", "a_b.example", "127.0.0.1", "::1",
      "2001:db8::1", label .. ".com", table.concat({ label, label, label, label:sub(1, 61) }, "."),
    } do
      WebSocket.new { url = URL, tls = { server_name = good } }
    end
    for _, bad in ipairs {
      "", ".", ".example.com", "example.com.", "a..b", label .. "a.com", "a\r\nb", "a\r", "a\n", "a b",
      "*.example.com", "[::1]", "::1%eth0", ":::", "1:2", "a/b", "a:443", "https://a", "bücher.example",
      table.concat({ label, label, label, label:sub(1, 62) }, "."),
    } do
      local message = raised(WebSocket.new, { url = URL, tls = { server_name = bad } })
      assert.matches("option 'tls.server_name' ", message)
    end
  end)

  it("that names a file is not empty", function()
    for _, name in ipairs { "ca_file", "cert_file", "key_file" } do
      assert.matches("option 'tls." .. name .. "' is empty",
        raised(WebSocket.new, { url = URL, tls = { [name] = "" } }))
    end
  end)

  it("name cannot forge a line of the log", function()
    for _, bad in ipairs { "a\nerror: b", "a\r", "\27[31m", "\127" } do
      assert.matches("option 'name' has a control character",
        raised(WebSocket.new, { url = URL, name = bad }))
      assert.matches("bad argument #3 .*has a control character",
        raised(WebSocket.new, URL, nil, bad))
    end
  end)
end)
