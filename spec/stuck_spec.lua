-- Tasks that nothing can wake any more. Each case is a process of its own, since one that hangs must
-- not take the others with it.

local child = require "support.child"
local compiled = require "support.compiled"

local BEGIN = [[
local WebSocket = require "steadysocket"
local socket = require "socket"
local patience = tonumber(os.getenv "SPEC_PATIENCE") or 1 -- more under valgrind and the like

local function idle() return WebSocket.new "ws://127.0.0.1:1/" end

-- What fn returned or raised, and that it took neither time nor the processor.
local function at_once(fn, ...)
  local start, used = socket.gettime(), os.clock()
  local result = table.pack(pcall(fn, ...))
  used, start = os.clock() - used, socket.gettime() - start
  assert(start < patience, "it took " .. start .. " s")
  assert(used < 0.1 * patience, "it used the processor for " .. used .. " s")
  return table.unpack(result, 1, result.n)
end

-- run raises, and names each of these pieces of text, in their order.
local function stuck(...)
  local ok, message = at_once(WebSocket.run)
  assert(not ok, "run returned")
  local from = assert(message:find("nothing is left that could wake", 1, true), message)
  for _, text in ipairs { ... } do
    from = message:find(text, from, true) or error(text .. " is not in: " .. message)
  end
end

local function finished() assert(at_once(WebSocket.run)) end

-- Has all tasks begun, the last of which sets threads[count]: that may take several turns.
local function begin(threads, count)
  while not threads[count] do assert(WebSocket.step(0)) end
end
]]

-- How many lines are above the own code of a case.
local ABOVE = select(2, BEGIN:gsub("\n", ""))

-- Runs code in which <n> stands for ":line" of the code's own line n.
local function passes(code, arguments)
  code = code:gsub("<(%d+)>", function(line) return (":%d"):format(ABOVE + line) end)
  local result = child.run(BEGIN .. code, arguments)
  assert.same({ "", 0 }, { result.err, result.code })
  return result.out
end

describe("a task that nothing can wake", function()
  local CASES = {
    ["sleeps for ever"] = [[
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      stuck "sleep at /tmp/"
    ]],
    ["sleeps longer than anyone lives"] = [[
      WebSocket.spawn(WebSocket.sleep, 2^60)
      WebSocket.spawn(WebSocket.sleep, 1.1e9)
      stuck "(2 tasks)"
    ]],
    ["waits for a client that is idle"] = [[
      WebSocket.spawn(function() idle():wait() end)
      stuck "wait at"
    ]],
    ["waits for an idle client that nobody else knows, through any collection"] = [[
      WebSocket.spawn(function() idle():wait "closed" end)
      assert(WebSocket.step(0))
      for _ = 1, 3 do collectgarbage() end
      stuck "wait at"
    ]],
    ["is left over beside one that failed"] = [[
      WebSocket.spawn(function() error "on purpose" end)
      WebSocket.spawn(function() idle():wait() end)
      local ok, message = at_once(WebSocket.run)
      assert(not ok and message:find("on purpose", 1, true), message)
      stuck "wait at"
    ]],
    ["is left over when a client is closed that another one waited for"] = [[
      local ws = WebSocket.new { url = "ws://127.0.0.1:1/", reconnect = false }
      ws:connect()
      WebSocket.spawn(function() assert(select(2, ws:receive()) == "closed") end)
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      stuck "sleep at"
      assert(ws.status == "closed")
    ]],
  }
  for what, code in pairs(CASES) do
    it("and " .. what .. " is told by run, which neither spins nor hangs", function() passes(code) end)
  end

  it("is named with the place in its own code, the oldest first", function()
    passes [[
      local function deep(ws) ws:wait "open" return true end
      WebSocket.spawn(function()
        WebSocket.sleep(0.001)
        deep(idle())
      end)
      for _ = 1, 3 do
        WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      end
      WebSocket.spawn(pcall, function()
        local inner = coroutine.wrap(function() coroutine.yield() end)
        inner()
        idle():flush()
        idle():wait "closed"
      end)
      stuck("wait at ", "<1>,", "sleep at ", "<7> (3 tasks)", "wait at ", "<13>;", "timeout")
    ]]
  end)

  it("is one of many, of which the message stays short", function()
    passes [[
      for i = 1, 1000 do
        load(("\n"):rep(i) .. "local W = ... W.spawn(function() W.sleep(math.huge) end)", "=prog")(WebSocket)
      end
      local ok, message = at_once(WebSocket.run)
      assert(not ok and #message < 1000, message)
      assert(message:find("prog:2, ", 1, true) and message:find("and 990 more", 1, true) or
        message:find("990 more places", 1, true), message)
    ]]
  end)

  it("can be woken after all, by whoever caught that error", function()
    passes [[
      local ws, seen = idle(), nil
      WebSocket.spawn(function() seen = ws:wait "closed" end)
      for _ = 1, 3 do stuck "wait at" end
      ws:close()
      finished()
      assert(seen == true)
    ]]
  end)

  it("is no error while a timer, a client or another task may wake it", function()
    passes [[
      local ws, seen = idle(), nil
      WebSocket.spawn(function() seen = ws:wait "closed" end)
      WebSocket.spawn(function()
        WebSocket.sleep(0.05)
        WebSocket.after(0.05, function() ws:close() end)
      end)
      WebSocket.run()
      assert(seen == true)
    ]]
  end)

  it("does not keep run from ending by stop, or by an error", function()
    passes [[
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      WebSocket.after(0, WebSocket.stop)
      finished()
      WebSocket.after(0, function() WebSocket.stop() error "on purpose" end)
      local ok, message = at_once(WebSocket.run)
      assert(not ok and message:find("on purpose", 1, true), message)
      stuck "sleep at"
    ]]
  end)

  it("is work that is left for step, which waits as long as it was told to", function()
    passes [[
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      assert(WebSocket.step(0))
      local start, used = socket.gettime(), os.clock()
      for _ = 1, 5 do assert(WebSocket.step(0.04)) end
      used = os.clock() - used
      assert(used < 0.05 * patience, "it used the processor for " .. used .. " s")
      assert(socket.gettime() - start >= 0.19)
      assert(at_once(WebSocket.step, 0))
    ]]
  end)

  it("is told by a step that would wait for ever", function()
    passes [[
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      assert(WebSocket.step(0))
      for _, timeout in ipairs { false, math.huge, 2^60 } do
        local ok, message = at_once(WebSocket.step, timeout or nil)
        assert(not ok and message:find("step: nothing is left that could wake", 1, true), message)
      end
    ]]
  end)

  it("does not keep a wait outside of a task from saying that nothing is left", function()
    passes [[
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      local ok, value, reason = at_once(function() return idle():wait() end)
      assert(ok and value == nil and reason == "closed", value)
      assert(at_once(WebSocket.sleep, math.huge))
      local start = socket.gettime()
      WebSocket.sleep(0.05)
      assert(socket.gettime() - start >= 0.05)
    ]]
  end)

  it("stays the parent's in a fork", function()
    local folder, why = compiled.object "process"
    if not folder then return pending(why) end
    finally(function() os.execute("rm -rf " .. folder) end)
    passes([[
      package.cpath = arg[1] .. "/?.so;" .. package.cpath
      local process = require "process"
      WebSocket.spawn(function() WebSocket.sleep(math.huge) end)
      assert(WebSocket.step(0))
      local pid = process.fork()
      if pid == 0 then
        finished()
        for _ = 1, 50 do WebSocket.spawn(function() idle():wait() end) end
        local ok, message = pcall(WebSocket.run)
        assert(not ok and message:find "wait in wait at [^ ]+ %(50 tasks%);", message)
        os.exit(0)
      end
      assert(process.wait(pid) == 0)
      stuck "sleep at"
    ]], { folder })
  end)
end)

describe("coroutine.close on a task that waits", function()
  local WAITS = {
    ["in sleep"] = "WebSocket.sleep(60)",
    ["in sleep for ever"] = "WebSocket.sleep(math.huge)",
    ["in wait"] = "ws:wait()",
    ["in receive with a timeout"] = "ws:connect() ws:receive(60)",
    ["in messages"] = "ws:connect() for _ in ws:messages() do end",
    ["in flush"] = "ws:send 'never sent' ws:connect() ws:flush()",
  }
  for where, call in pairs(WAITS) do
    for who, closes in pairs {
      ["the main program"] = "WebSocket.step(0.01) close()",
      ["a handler"] = "WebSocket.after(0.01, close)",
      ["another task"] = "WebSocket.spawn(function() WebSocket.sleep(0.01) close() end)",
    } do
      it(where .. " by " .. who .. " ends it: its variables are closed, and run returns", function()
        passes([[
          local ws, thread = idle(), nil
          local order = {}
          local function note(name)
            return setmetatable({}, { __close = function() order[#order + 1] = name end })
          end
          WebSocket.spawn(function()
            thread = coroutine.running()
            local _ <close> = note "outer"
            pcall(function()
              local _ <close> = note "inner"
              ]] .. call .. [[

              order[#order + 1] = "woken"
            end)
          end)
          local function close()
            assert(coroutine.close(thread))
            ws:close()
          end
          ]] .. closes .. [[

          finished()
          assert(table.concat(order, " ") == "inner outer", table.concat(order, " "))
          assert(WebSocket.step(0) == false)
        ]])
      end)
    end
  end

  it("may come after somebody else has resumed it to its end", function()
    passes [[
      local threads = {}
      for i = 1, 50 do
        WebSocket.spawn(function()
          threads[i] = coroutine.running()
          WebSocket.sleep(math.huge)
        end)
      end
      begin(threads, 50)
      for i = 1, 49 do
        debug.sethook(threads[i], function() error "on purpose" end, "", 1)
        assert(not coroutine.resume(threads[i]))
      end
      stuck "wait in sleep at"
      assert(not select(2, pcall(WebSocket.run)):find("tasks)", 1, true))
      coroutine.close(threads[50])
      finished()
    ]]
  end)

  it("leaves those alone that wait for the same client", function()
    passes [[
      local ws, threads, seen = idle(), {}, {}
      for i = 1, 3 do
        WebSocket.spawn(function()
          threads[i] = coroutine.running()
          seen[i] = ws:wait "closed"
        end)
      end
      begin(threads, 3)
      WebSocket.spawn(function()
        coroutine.close(threads[2])
        ws:close()
      end)
      finished()
      assert(seen[1] and not seen[2] and seen[3])
    ]]
  end)

  it("may be what another task does that was woken just before it", function()
    passes [[
      local ws, second = idle(), nil
      WebSocket.spawn(function()
        ws:wait "closed"
        assert(coroutine.close(second))
      end)
      WebSocket.spawn(function()
        second = coroutine.running()
        ws:wait "closed"
        error "it was closed"
      end)
      WebSocket.spawn(function() ws:close() end)
      finished()
    ]]
  end)

  it("in the task itself raises, as for any coroutine", function()
    passes [[
      local message
      WebSocket.spawn(function()
        message = select(2, pcall(coroutine.close, coroutine.running()))
      end)
      finished()
      assert(message:find("cannot close a running coroutine", 1, true), message)
    ]]
  end)

  it("hands an error in closing to who closes", function()
    passes [[
      local thread
      WebSocket.spawn(function()
        thread = coroutine.running()
        local _ <close> = setmetatable({}, { __close = function() error("on purpose", 0) end })
        WebSocket.sleep(math.huge)
      end)
      WebSocket.step(0)
      local ok, message = coroutine.close(thread)
      assert(ok == false and message == "on purpose")
      finished()
    ]]
  end)

  it("leaves nothing behind, over 10,000 tasks", function()
    passes [[
      local function some(count)
        for _ = 1, count do
          local thread
          WebSocket.spawn(function()
            thread = coroutine.running()
            WebSocket.sleep(60)
          end)
          WebSocket.step(0)
          coroutine.close(thread)
        end
        finished()
        collectgarbage() collectgarbage()
        return collectgarbage "count"
      end
      WebSocket.after(60, function() end) -- the loop never comes to rest
      finished = function() end
      local before = some(1000)
      local after = some(10000)
      assert(after < before + 50, after - before .. " KiB were left over")
    ]]
  end)
end)
