-- Every method and every metamethod, called with whatever a program may call it with. Each case is a
-- process of its own, since what goes wrong here is a crash.

local Server = require "support.server"
local child = require "support.child"

local BEGIN = [[
local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"

local function new() return WebSocket.new(arg[1] or "ws://127.0.0.1:1/") end

-- One object of each kind, by the name of its metatable.
local function objects()
  local reader = assert(internal.input(0, print))
  local all = { new(), WebSocket.after(60, print), reader }
  for _, value in pairs(debug.getregistry()) do -- the loop, which nobody else refers to
    local meta = type(value) == "userdata" and debug.getmetatable(value)
    if meta and meta.__name == "steadysocket.loop" then all[#all + 1] = value end
  end
  local named = {}
  for _, object in ipairs(all) do named[debug.getmetatable(object).__name] = object end
  return named
end

-- Calls visit(name, fn) for each function of an object's metatable, in tables inside of it, and in
-- what its C functions have as upvalues.
local function walk(object, visit)
  local seen = {}
  local function look(name, value)
    if seen[value] then return end
    if type(value) == "table" then
      seen[value] = true
      for key, inner in pairs(value) do look(tostring(key), inner) end
    elseif type(value) == "function" then
      seen[value] = true
      visit(name, value)
      if debug.getinfo(value, "S").what == "C" then
        for i = 1, 3 do look(name .. "'s", select(2, debug.getupvalue(value, i)) or false) end
      end
    end
  end
  look("metatable", debug.getmetatable(object))
end
]]

local function passes(code, url, environment)
  local result = child.run(BEGIN .. code, { url }, { environment = environment })
  assert.same({ "", 0 }, { result.err, result.code })
  return result.out
end

describe("a method or metamethod", function()
  teardown(Server.stop_all)

  it("raises for each receiver that is none of its own", function()
    local out = passes [[
      local kinds = objects()
      local fakes = {
        false, 0, -1, 2^53, "steadysocket.client", {}, print, coroutine.create(print), io.stdout,
        internal.home(), setmetatable({}, getmetatable(kinds["steadysocket.client"])),
      }
      local calls = 0
      for kind, object in pairs(kinds) do
        local wrong = { table.unpack(fakes) }
        for other, value in pairs(kinds) do
          if other ~= kind then wrong[#wrong + 1] = value end
        end
        walk(object, function(name, fn)
          local function try(...)
            calls = calls + 1
            local ok, message = pcall(fn, ...)
            if name ~= "__index" then
              assert(not ok, name .. " of " .. kind .. " took a " .. type((...)))
              assert(message:find("expected", 1, true), message)
            end
          end
          try()
          try(nil)
          for _, value in ipairs(wrong) do
            try(value)
            try(value, "status")
            try(value, "on_open", print)
            try(value, print)
            try(value, 1, 2, 3, 4)
          end
        end)
      end
      for _, name in ipairs { "__index", "__newindex", "__tostring", "__gc" } do
        local meta = getmetatable(kinds["steadysocket.client"])
        assert(name == "__index" or not pcall(meta[name]))
        for _, property in ipairs { "status", "on_open" } do
          assert(not pcall(meta.__index, nil, property))
        end
      end
      print(calls)
    ]]
    assert(tonumber(out) > 1000, out)
  end)

  it("that waits raises for what is no client, also what has the fields of one", function()
    passes [[
      local ws = new()
      local mock = { status = "open", queued = 0, unconfirmed = 0 }
      for _, name in ipairs { "receive", "messages", "wait", "flush" } do
        for _, wrong in ipairs { false, 1, "client", mock, io.stdout, WebSocket.after(0, print) } do
          local ok, message = pcall(function() return (ws[name](wrong or nil)) end)
          assert(not ok and message:find("bad argument #1 to '" .. name .. "'", 1, true), message)
          assert(message:find("^/tmp/[^:]*:%d+:"), message)
        end
      end
    ]]
  end)

  it("called on an object that was finalized by hand, never crashes", function()
    passes([[
      local states = {
        function() end,
        function(ws) ws:send "queued" end,
        function(ws) ws:connect() end,
        function(ws) ws:connect() assert(ws:wait("open", 10)) ws:send "on its way" end,
        function(ws) ws:close() end,
      }
      for _, bring in ipairs(states) do
        local ws = new()
        bring(ws)
        local gc = getmetatable(ws).__gc
        for _ = 1, 3 do gc(ws) end
        assert(tostring(ws):find("gone", 1, true))
        walk(ws, function(_, fn)
          for _, arguments in ipairs { {}, { "status" }, { "on_open", print }, { "text" }, { 1000 } } do
            pcall(fn, ws, table.unpack(arguments))
          end
        end)
        local ok, message = pcall(ws.send, ws, "text")
        assert(not ok and message:find("gone", 1, true), message)
        assert(not pcall(function() return ws.status end))
        assert(not pcall(ws.wait, ws))
        local weak = setmetatable({ ws }, { __mode = "v" })
        ws = nil
        collectgarbage() collectgarbage()
        assert(weak[1] == nil)
      end
      for _, timer in ipairs { WebSocket.after(0.01, error), WebSocket.every(0.01, error) } do
        for _ = 1, 3 do getmetatable(timer).__gc(timer) end
        timer:cancel()
      end
      for _, source in ipairs { internal.input(0, error), internal.signal("WINCH", error) } do
        for _ = 1, 3 do getmetatable(source).__gc(source) end
        source:pause()
        source:resume()
        source:cancel()
      end
      WebSocket.run()
    ]], Server.start():url())
  end)

  it("__gc called by hand in a handler leaves alone what the handler's caller needs", function()
    passes([[
      local seen = {}
      local function finalize(ws, name)
        seen[name] = true
        for _ = 1, 3 do getmetatable(ws).__gc(ws) end
        collectgarbage()
      end
      local ws
      ws = WebSocket.new {
        url = function() if ws then finalize(ws, "url") end return arg[1] end,
        headers = function(_, self) finalize(self, "headers") return {} end,
        reconnect = { min_delay = 0.001, max_delay = 0.001 },
        log = function(_, _, self) finalize(self, "log") end,
        should_reconnect = function(_, self) finalize(self, "should_reconnect") end,
        on_open = function(_, self) finalize(self, "on_open") self:send "hello" end,
        on_message = function(data, _, self)
          finalize(self, "on_message")
          assert(data == "hello")
          self:close()
        end,
        on_close = function(_, self) finalize(self, "on_close") end,
        on_status = function(_, _, self) finalize(self, "on_status") end,
      }
      ws:connect()
      local timer
      timer = WebSocket.every(0.001, function()
        finalize(timer, "timer")
        finalize(ws, "timer's client")
      end)
      WebSocket.spawn(function() finalize(ws, "task") end)
      WebSocket.run()
      for _, name in ipairs { "url", "headers", "log", "on_open", "on_message", "on_close",
          "on_status", "timer", "timer's client", "task" } do
        assert(seen[name], name)
      end
      collectgarbage()
    ]], Server.start():url())
  end)

  it("of the loop that is called by hand leaves its clients unusable, and crashes nothing", function()
    passes([[
      local ws, timer = new(), WebSocket.after(60, print)
      ws:connect()
      WebSocket.step(0.01)
      for _, value in pairs(debug.getregistry()) do
        local meta = type(value) == "userdata" and debug.getmetatable(value)
        if meta and meta.__name == "steadysocket.loop" then
          for _ = 1, 3 do meta.__gc(value) end
        end
      end
      assert(not pcall(ws.send, ws, "x"))
      assert(not pcall(WebSocket.run))
      assert(not pcall(WebSocket.after, 0, print))
      pcall(timer.cancel, timer)
      assert(tostring(ws):find "WebSocket client")
      ws, timer = nil, nil
      collectgarbage() collectgarbage()
    ]], Server.start():url(), "ASAN_OPTIONS=detect_leaks=0") -- what was on the loop stays
  end)
end)

describe("a metatable", function()
  it("is visible, as that of a file, and has a name", function()
    local out = passes [[
      for _, object in ipairs { new(), (WebSocket.after(60, print)) } do
        print(getmetatable(object).__name)
      end
    ]]
    assert.equal("steadysocket.client\nsteadysocket.timer\n", out)
  end)
end)
