-- Lua states beside each other in one process. `make tsan` runs this under ThreadSanitizer.

local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"
local compiled = require "support.compiled"
local preload = require "support.preload"

-- What each state does, and is closed behind: with clients that are open, on their way and waiting.
local ONE_OF_MANY = [[
package.path, package.cpath = %q, %q
local WebSocket = require "steadysocket"
local urls, ca_file = (...):match "^(.-) (%%S+)$"
local ready = 0

local function start(url)
  local opens, echoes = 0, 0
  local ws = WebSocket.new {
    url = url,
    tls = { ca_file = ca_file },
    compression = true,
    confirm = true,
    log = function() end,
    headers = function() return { ["X-A"] = "a" } end,
    on_open = function(_, ws)
      opens, echoes = opens + 1, 0
      ws:send "x"
    end,
    on_message = function(data, _, ws)
      echoes = echoes + 1
      if echoes < 20 then
        ws:send(data .. ("x"):rep(100))
      elseif opens == 1 then
        ws:reconnect()
      elseif echoes == 20 then -- more come when some are sent twice
        ready = ready + 1
      end
    end,
    on_error = function(event) error(event.message) end,
  }
  ws:connect "x"
  return ws
end

local clients = {}
for url in urls:gmatch "%%S+" do
  clients[#clients + 1] = start(url)
  clients[#clients + 1] = start(url)
end
local refused = WebSocket.new "ws://127.0.0.1:1/"
refused:connect()
local unknown = WebSocket.new "ws://name.invalid/"
unknown:connect()
WebSocket.spawn(function()
  while ready < #clients or not refused.last_error do WebSocket.sleep(0.01) end
  clients[1]:close()
  clients[1]:wait("closed", 20)
  WebSocket.stop()
end)
WebSocket.after(60, function() error "it takes too long" end)
WebSocket.run()
assert(clients[1].status == "closed" and clients[2].status == "open")
assert(refused.last_error:find "refused")
]]

-- Closed before its name is answered, which takes a tenth of a second. In a row the next one loads our
-- module anew, and is there when the answer comes.
local IMPATIENT = [[
package.path, package.cpath = %q, %q
local WebSocket = require "steadysocket"
WebSocket.new("ws://name.slow/"):connect()
WebSocket.after(0.03, WebSocket.stop)
WebSocket.run()
]]

-- The build under ThreadSanitizer, if that is to be used.
local TSAN = os.getenv "STEADY_TSAN"

describe("Lua states beside each other in one process", function()
  local folder, why

  setup(function()
    folder, why = compiled.program("states", TSAN and "-lpthread -fsanitize=thread" or "-lpthread")
  end)

  teardown(function()
    if folder then os.execute("rm -rf " .. folder) end
    preload.remove_all()
  end)

  after_each(Server.stop_all)

  -- A row, then all at once, then each in a thread of its own.
  local function run(code, argument, rounds, states, environment)
    local cpath = TSAN and TSAN .. "/?.so;" .. package.cpath or package.cpath
    local result = child.run(code:format(package.path, cpath), {
      argument, tostring(rounds), tostring(states),
    }, { interpreter = folder .. "/states", environment = environment })
    assert.same({ "in a row\nat once\nin threads\n", "", 0 },
      { result.out, result.err, result.code })
  end

  local function run_many(rounds, states, secure)
    if not folder then
      pending(why)
      return
    end
    local urls = {}
    if secure ~= true then urls[1] = Server.start():url() end
    if secure ~= false then
      urls[#urls + 1] = Server.start({ tls = certs.good }):url(nil, "localhost")
    end
    run(ONE_OF_MANY, table.concat(urls, " ") .. " " .. certs.good.ca, rounds, states)
  end

  for _, secure in ipairs { false, true } do
    it("are closed with their connections open, over " .. (secure and "wss" or "ws"), function()
      run_many(1, 8, secure)
    end)
  end

  it("come and go all the time, with clients over ws and wss", function()
    run_many(3, 4)
  end)

  it("are closed, and our module unloaded, with names that are answered only then", function()
    local environment = preload.environment "names"
    if not folder or not environment then
      pending(why or "needs cc and LD_PRELOAD")
      return
    end
    run(IMPATIENT, "", 1, 8, environment)
  end)
end)
