local hosted = require "support.hosted"

local cqueues = {
  name = "cqueues",
  module = "cqueues",
  prelude = [[
    local cqueues = require "cqueues"
    local cq = cqueues.new()
    local function attach() require("steadysocket.cqueues").attach(cq) end
    local function loop() assert(cq:loop()) end
    local function in_coroutine(fn) cq:wrap(fn) end
    local function later(seconds, fn)
      cq:wrap(function()
        cqueues.sleep(seconds)
        fn()
      end)
    end
  ]],
}

describe("cqueues", function()
  local it = hosted.specs(cqueues, _ENV)

  it("returns an error in a handler from cq:loop(), and goes on when that is called again", function()
    local out = hosted.passes(cqueues, [[
      attach()
      local value = {}
      WebSocket.after(0, function() error "on purpose" end)
      WebSocket.after(0.01, function() error(value) end)
      WebSocket.spawn(function()
        WebSocket.sleep(0.02)
        error "in a task"
      end)
      WebSocket.after(0.03, function() print "goes on" end)
      local ok, message = cq:loop()
      check(not ok and message:find "on purpose\nstack traceback:", message)
      ok, message = cq:loop()
      check(not ok and message == value)
      ok, message = cq:loop()
      check(not ok and message:find "in a task\nstack traceback:", message)
      check(cq:loop())
    ]])
    assert.equal("goes on\n", out)
  end)

  it("returns each of several errors of one turn, by a cq:loop() of its own", function()
    hosted.passes(cqueues, [[
      attach()
      local ws = WebSocket.new(url)
      ws.log = function() error "of the log" end
      ws.on_status = function() error "of the handler" end
      ws:close()
      local ok, message = cq:loop()
      check(not ok and message:find "of the log", message)
      ok, message = cq:loop()
      check(not ok and message:find "of the handler", message)
      check(cq:loop())
    ]])
  end)

  it("can be attached in a coroutine, to the controller that runs it", function()
    local out = hosted.passes(cqueues, [[
      cq:wrap(function()
        require("steadysocket.cqueues").attach()
        local ws = WebSocket.new(url .. "/echo")
        ws:connect "hello"
        print(ws:receive())
        ws:close()
      end)
      loop()
      local ok, message = pcall(require("steadysocket.cqueues").attach, cqueues.new())
      check(not ok and message:find "attach: cqueues runs the loop already", message)
    ]])
    assert.equal("hello\ttext\n", out)
  end)

  it("needs to know the controller", function()
    local out = hosted.passes(cqueues, [[
      print(pcall(require("steadysocket.cqueues").attach))
    ]])
    assert.matches("^false\t.*attach: which controller%?", out)
  end)

  it("refuses what is no controller, and is not attached by that", function()
    local out = hosted.passes(cqueues, [[
      print(pcall(require("steadysocket.cqueues").attach, 42))
      WebSocket.after(0, function() print "still ours" end)
      WebSocket.run()
    ]])
    assert.matches("bad argument #1 to 'attach' %(controller expected, got number%)\nstill ours", out)
  end)

  it("does not let a coroutine inside of its coroutines wait", function()
    hosted.passes(cqueues, [[
      attach()
      cq:wrap(function()
        local ok, message = coroutine.resume(coroutine.create(WebSocket.sleep), 0.01)
        check(not ok and message:find("wait in a task", 1, true), message)
      end)
      loop()
    ]])
  end)

  it("has nested controllers wait, too", function()
    local out = hosted.passes(cqueues, [[
      attach()
      local inner = cqueues.new()
      inner:wrap(function()
        WebSocket.sleep(0.01)
        print "inner"
      end)
      cq:wrap(function() assert(inner:loop()) end)
      loop()
    ]])
    assert.equal("inner\n", out)
  end)
end)
