local child = require "support.child"
local hosted = require "support.hosted"

local luv = {
  name = "luv",
  module = "luv",
  waits = false,
  prelude = [[
    local uv = require "luv"
    local function attach() require("steadysocket.luv").attach() end
    local function loop() uv.run() end
    local function later(seconds, fn)
      local timer = uv.new_timer()
      timer:start(math.ceil(seconds * 1000), 0, function()
        timer:close()
        fn()
      end)
    end
    local function in_coroutine(fn) later(0, fn) end
  ]],
}

describe("luv", function()
  local it = hosted.specs(luv, _ENV)

  it("ends the process by an error in a handler, as by one in any callback", function()
    local result = child.run(luv.prelude .. [[
      local WebSocket = require "steadysocket"
      attach()
      WebSocket.after(0, function() error "on purpose" end)
      WebSocket.after(0.1, function() print "not reached" end)
      loop()
    ]])
    assert.equal("", result.out)
    assert.matches("on purpose\nstack traceback:", result.err)
    assert.equal(255, result.code)
  end)

  it("can be detached and attached again, and left at any time", function()
    hosted.passes(luv, [[
      attach()
      require("steadysocket.luv").detach()
    ]])
    local out = hosted.passes(luv, [[
      for round = 1, 2 do
        attach()
        WebSocket.after(0, function() print("luv", round) end)
        loop()
        require("steadysocket.luv").detach()
        WebSocket.after(0, function() print("ours", round) end)
        WebSocket.run()
      end
    ]])
    assert.equal("luv\t1\nours\t1\nluv\t2\nours\t2\n", out)
  end)

  it("gets its share of the time while messages pour in", function()
    hosted.passes(luv, [[
      attach()
      local ws = WebSocket.new(url .. "/count?n=20000")
      local messages, iterations, timer = 0, 0, uv.new_timer()
      ws.on_message = function()
        messages = messages + 1
        if messages < 20000 then return end
        ws:close()
        timer:close()
      end
      ws:connect()
      timer:start(1, 1, function() iterations = iterations + 1 end)
      loop()
      check(messages == 20000)
      check(iterations > 3, iterations)
    ]])
  end)

  it("returns from uv.run('nowait') and ('once'), with work left", function()
    hosted.passes(luv, [[
      attach()
      local fired
      WebSocket.after(0.02, function() fired = true end)
      uv.run "nowait"
      check(not fired)
      while not fired do uv.run "once" end
      check(not uv.run "nowait")
    ]])
  end)
end)
