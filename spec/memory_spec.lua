-- What happens when memory runs out, at each place where it can: a whole life (connect, follow, send, receive,
-- lose, reconnect, close) is run again and again, and each time another allocation fails, one of the
-- module's own or one of Lua's. STEADY_EVERY=1 tries all of them, without it only some.

local Server = require "support.server"
local child = require "support.child"
local compiled = require "support.compiled"

local EVERY = tonumber(os.getenv "STEADY_EVERY") or 11

-- Ends by itself, whatever fails; what is left behind is freed with the state.
local LIFE = [[
local WebSocket = require "steadysocket"
os.getenv "FAILING_MALLOC_BEGIN"
local ok, problem = pcall(function()
  local ws = WebSocket.new {
    url = arg[1],
    headers = function() return { ["X-A"] = "a" } end,
    protocols = function() return { "chat", "talk" } end,
    redirects = 2,
    connect_to = arg[1]:match "//(.-)/",
    local_address = "127.0.0.1",
    confirm = true,
    compression = true,
    heartbeat = { interval = 0.05, timeout = 1 },
    reconnect = { min_delay = 0.01, max_delay = 0.01, max_attempts = 3 },
    connect_timeout = 1,
    close_timeout = 0.5,
  }
  local received = 0
  ws.on_open = function(_, ws) ws:send "hello" end
  ws.on_error = function() end
  ws.on_close = function() end
  ws.on_message = function(data, _, ws)
    received = received + 1
    if received == 2 then ws:reconnect() end
    if received >= 4 then ws:close() end
  end
  ws:connect "first"
  ws:send(("a long message "):rep(500))
  WebSocket.after(2, WebSocket.stop)
  while ws.status ~= "closed" do
    local fine, failure = pcall(WebSocket.run)
    if not fine then error(failure, 0) end
    if ws.status ~= "closed" then break end
  end
end)
if not ok then io.stderr:write(tostring(problem):match "^[^\n]*", "\n") end
os.exit(true, true)
]]

describe("Without memory", function()
  local folder, server

  setup(function()
    folder = compiled.object("failing_malloc", "-ldl -lpthread")
    server = Server.start()
  end)

  teardown(function()
    Server.stop_all()
    if folder then os.execute("rm -rf " .. folder) end
  end)

  -- A life in which that allocation fails: how it ended, what it said, and how many it counted.
  local function live(which, number)
    local result = child.run(LIFE, { server:url "/moved?to=echo" }, {
      environment = ("LD_PRELOAD=%s/failing_malloc.so FAILING_MALLOC=%s:%d"):format(folder, which, number),
    })
    local reason, count, left = result.err:match
      "^(.-)failing_malloc: (%d+) allocations, (%d+) not freed\n$"
    assert(count, ("allocation %d: %s (exit code %d)"):format(number, result.err, result.code))
    -- 1: it failed before or behind the program's pcall, and the interpreter says so.
    assert(result.code == 0 or result.code == 1 and reason:find "memory", result.err)
    assert.equal("0", left, ("allocation %d: %s"):format(number, result.err))
    return reason, tonumber(count)
  end

  for which, whose in pairs { module = "the module's own", lua = "Lua's" } do
    it(whose .. " allocations fail one after the other: no crash, no leak, and a reason", function()
      if child.sanitized() or not folder then
        pending "an allocator of ours cannot be preloaded here"
        return
      end
      local reason, count = live(which, 0)
      assert.equal("", reason)
      assert(count > 20, count)
      for number = 1, count, EVERY do
        reason = live(which, number)
        assert(reason == "" or reason:find "memory", ("allocation %d: %s"):format(number, reason))
      end
    end)
  end

  it("to spare, with the collector at work all the time, nothing is collected that is in use", function()
    for _ = 1, 3 do
      local code = 'collectgarbage("incremental", 0, 1000, 0)\n' .. LIFE
      assert.same({ out = "", err = "", code = 0 }, child.run(code, { server:url "/moved?to=echo" }))
    end
  end)
end)
