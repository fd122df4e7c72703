-- Forks in one thread while others work: none may hang, wait for long, or hand a descriptor on.

local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"
local compiled = require "support.compiled"
local preload = require "support.preload"

-- What the states of other threads do, each again and again.
local COMES_AND_GOES = [[
package.path, package.cpath = %q, %q
local WebSocket = require "steadysocket"
local ca_file, urls = (...):match "^(%%S+)(.*)$"
local waiting = 0
for url in urls:gmatch "%%S+" do
  local ws = WebSocket.new { url = url, tls = { ca_file = ca_file }, log = function() end }
  ws.on_open = function() waiting = waiting - 1 end
  ws:connect()
  if not url:find "slow" then waiting = waiting + 1 end
end
WebSocket.step(0)
local refused = WebSocket.new { url = "ws://127.0.0.1:1/", log = function() end }
refused:connect()
refused:wait("open", 0)
local deadline = os.time() + 20
while waiting > 0 do
  assert(os.time() < deadline, "a client does not open")
  WebSocket.step(0.1)
end
]]

local SECONDS = 2 -- of forks
local PATIENCE = tonumber(os.getenv "SPEC_PATIENCE") or 1
local LONGEST = 100 + 400 * PATIENCE -- ms: the resolver's tenth of a second, and a margin for the machine

describe("A program that forks all the time while states come and go in other threads", function()
  local folder, why

  setup(function() folder, why = compiled.program("forks", "-lpthread") end)

  teardown(function()
    if folder then os.execute("rm -rf " .. folder) end
    preload.remove_all()
    Server.stop_all()
  end)

  -- How often it forked, the longest time that it took, in ms, and how many states there were.
  local function run(threads, urls, shim, environment)
    local preloaded = not shim or preload.environment(shim)
    if not folder or not preloaded then
      pending(why or "needs LD_PRELOAD")
      return
    end
    environment = (environment or "") .. " ASAN_OPTIONS=detect_leaks=0 " .. (shim and preloaded or "")
    local argument = certs.good.ca .. " " .. table.concat(urls, " ")
    local result = child.run(COMES_AND_GOES:format(package.path, package.cpath), {
      argument, tostring(threads), tostring(SECONDS),
    }, { interpreter = folder .. "/forks", environment = environment })
    assert.same({ "", 0 }, { result.err, result.code })
    local forks, longest, states = result.out:match "^(%d+) (%d+) (%d+)\n$"
    assert(tonumber(forks) > 3 and tonumber(states) > 3, result.out)
    assert(tonumber(longest) < LONGEST, result.out)
  end

  for _, threads in ipairs { 1, 4 } do
    it(("neither hangs nor waits for long, with %d of them"):format(threads), function()
      run(threads, {})
    end)

    it(("waits a tenth of a second at most for names, with %d of them"):format(threads), function()
      local urls = {}
      for i = 1, 20 do urls[i] = ("ws://name%d.slow/"):format(i) end
      run(threads, urls, "names")
    end)
  end

  -- libwebsockets makes some without the flag; a fork waits until they have it.
  it("hands no socket, pipe or device of the module on to the programs that it runs", function()
    local urls = { Server.start():url(), Server.start({ tls = certs.good }):url(nil, "localhost") }
    run(2, urls, "descriptors", "DESCRIPTORS_SLOW=1")
  end)

  -- Programs can also be started without a fork that anybody is told of, as os.execute does. Only
  -- libwebsockets can do something about its own.
  it("has each socket and pipe of ours close-on-exec from its first moment on", function()
    local log = os.tmpname()
    local urls = { Server.start():url(nil, "localhost"), Server.start({ tls = certs.good }):url(nil, "localhost") }
    run(1, urls, "descriptors", "DESCRIPTORS_LOG=" .. log)
    local file <close> = assert(io.open(log))
    os.remove(log)
    for line in file:lines() do assert(line:find " libwebsockets", line) end
  end)
end)
