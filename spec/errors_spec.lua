-- Errors of what the loop calls: as many come out of run and step as were raised, each once.

local Peer = require "support.peer"
local Server = require "support.server"
local WebSocket = require "steadysocket"
local child = require "support.child"
local compiled = require "support.compiled"
local turn = require "support.turn"
local watched = require "support.watched"

-- Counts errors: fail(where) raises the next one, and came_out(list) is whether those of a list are
-- all that were raised, in their order.
local function counter(make)
  local raised = {}
  local self = {}
  function self.fail(where)
    local failure = make and make(#raised + 1) or ("error %d in %s"):format(#raised + 1, where)
    raised[#raised + 1] = failure
    error(failure, 0)
  end
  function self.came_out(list)
    assert(#raised > 0, "nothing was raised")
    assert.equal(#raised, #list)
    for i, failure in ipairs(raised) do
      if type(failure) == "string" then
        assert.equal(failure, list[i]:match "^[^\n]*")
      else
        assert.is_true(rawequal(failure, list[i]), i)
      end
    end
  end
  function self.count() return #raised end
  return self
end

-- All that comes out of run until it returns without an error.
local function drain(call)
  local list = {}
  while true do
    local ok, failure = pcall(call or WebSocket.run)
    if ok then return list end
    list[#list + 1] = failure
    assert(#list < 10000, "there is no end to it")
  end
end

local HANDLERS = {
  "on_open", "on_message", "on_close", "on_error", "on_status", "on_drain", "on_pong",
  "should_reconnect", "log",
}

-- A life in which each handler that there is fails each time.
local function live(errors)
  local server = Peer.listen()
  server:close()
  local ws = WebSocket.new {
    url = server.url,
    reconnect = { min_delay = watched.delay, max_delay = watched.delay, jitter = 0 },
    high_water = 10,
    low_water = 0,
  }
  local seen = {}
  for _, name in ipairs(HANDLERS) do
    ws[name] = function()
      seen[name] = (seen[name] or 0) + 1
      errors.fail(name)
    end
  end
  local list = {}
  local function through(condition, what)
    local more = turn.through(condition, what)
    table.move(more, 1, #more, #list + 1, list)
  end
  ws:connect()
  through(function() return (seen.on_error or 0) >= 3 end, "failed attempts")
  server:open_again()
  through(function() return server:arrivals() > 0 and server.all[1]:has_input() end, "a request")
  local conn = server.all[1]
  conn:upgrade()
  through(function() return seen.on_open end, "the connection")
  ws:send(("x"):rep(100))
  conn:send(Peer.burst(1, 20))
  conn:pong "unasked"
  through(function() return seen.on_message == 20 and seen.on_pong and seen.on_drain end, "messages")
  conn:cut()
  through(function() return seen.on_close end, "the loss")
  ws:close()
  through(function() return ws.status == "closed" end, "the end")
  local more = drain()
  table.move(more, 1, #more, #list + 1, list)
  for _, name in ipairs(HANDLERS) do assert(seen[name], name .. " was never called") end
  return list
end

describe("no error is lost", function()
  after_each(function()
    watched.end_all()
    Server.stop_all()
  end)

  it("where every handler and the log fail each time", function()
    local errors = counter()
    errors.came_out(live(errors))
  end)

  it("where they are no strings", function()
    local errors = counter(function(i)
      if i % 3 == 0 then return i end
      return i % 3 == 1 and {} or setmetatable({}, { __tostring = function() error "again" end })
    end)
    errors.came_out(live(errors))
  end)

  it("where it is nil or false", function()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    ws.log = function() error(nil) end
    ws.on_status = function() error(false) end
    ws:close()
    local got = {}
    for i = 1, 2 do got[i] = table.pack(pcall(WebSocket.run)) end
    assert.same({ { n = 2, false, nil }, { n = 2, false, false } }, got)
    WebSocket.run()
  end)

  it("of 100 clients that fail in the same turn", function()
    local errors = counter()
    for _ = 1, 100 do
      local ws = WebSocket.new "ws://127.0.0.1:1/"
      ws.log = function() errors.fail "log" end
      ws.on_status = function() errors.fail "on_status" end
      ws:close()
    end
    errors.came_out(drain())
    assert.equal(200, errors.count())
  end)

  it("and no client's should_reconnect goes unasked for another one's error", function()
    local server = Peer.listen()
    local asked, conns = 0, {}
    local clients = {}
    for i = 1, 5 do
      local client = watched.connect { url = server.url }
      clients[i] = client
      conns[i] = server:welcome()
      client:await "opens"
      client.ws.should_reconnect = function()
        asked = asked + 1
        if asked == 1 then error "on purpose" end
        return false
      end
    end
    for _, conn in ipairs(conns) do conn:cut() end
    local errors = turn.through(function()
      local closed = 0
      for _, client in ipairs(clients) do
        if client.ws.status == "closed" then closed = closed + 1 end
      end
      return closed == 4
    end, "four clients to be closed")
    assert.equal(5, asked)
    assert.equal(1, #errors)
    for _, client in ipairs(clients) do client.ws.should_reconnect = nil end
  end)

  it("of a task and of what it closes then", function()
    local errors = counter()
    WebSocket.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() errors.fail "closing" end })
      errors.fail "the task"
    end)
    WebSocket.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() errors.fail "a yield's end" end })
      WebSocket.sleep(0)
      errors.fail "the other task"
    end)
    WebSocket.after(0, function() errors.fail "a timer" end)
    errors.came_out(drain())
    assert.equal(5, errors.count())
  end)

  it("of tasks that are woken by a delivery whose handlers fail", function()
    local errors = counter()
    local ws = WebSocket.new { url = "ws://127.0.0.1:1/", reconnect = false }
    for _, name in ipairs { "on_error", "on_status", "log" } do
      ws[name] = function() errors.fail(name) end
    end
    for i = 1, 3 do
      WebSocket.spawn(function()
        ws:wait "closed"
        errors.fail("task " .. i)
      end)
    end
    ws:connect()
    errors.came_out(drain())
  end)

  it("in step, which raises one a call and is due at once for the next", function()
    local errors = counter()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    ws.log = function() errors.fail "log" end
    ws.on_status = function() errors.fail "on_status" end
    ws:close()
    local ok, first = pcall(WebSocket.step, 0)
    assert.is_false(ok)
    assert.equal(2, errors.count())
    assert.equal(0, WebSocket.timeout())
    local second
    ok, second = pcall(WebSocket.step)
    assert.is_false(ok)
    errors.came_out { first, second }
    assert.is_nil(WebSocket.timeout())
    assert.is_false(WebSocket.step(0))
  end)

  it("in a call that waits outside of a task", function()
    local errors = counter()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    ws.log = function() errors.fail "log" end
    ws.on_status = function() errors.fail "on_status" end
    ws:close()
    local list = drain(function() ws:wait "closed" end)
    local more = drain()
    table.move(more, 1, #more, #list + 1, list)
    errors.came_out(list)
  end)

  it("in a process that forks between two of them", function()
    local folder, why = compiled.object "process"
    if not folder then return pending(why) end
    finally(function() os.execute("rm -rf " .. folder) end)
    local result = child.run([[
      package.cpath = arg[1] .. "/?.so;" .. package.cpath
      local process = require "process"
      local WebSocket = require "steadysocket"
      local ws, pid = WebSocket.new "ws://127.0.0.1:1/", nil
      ws.log = function() error("log", 0) end
      ws.on_status = function()
        pid = process.fork()
        error(pid == 0 and "in the child" or "in the parent", 0)
      end
      ws:close()
      local seen = {}
      for i = 1, 3 do
        local _, message = pcall(WebSocket.run)
        seen[i] = tostring(message):match "[^\n]*"
      end
      if pid > 0 then process.wait(pid) end
      io.write(table.concat(seen, ", "), "\n")
    ]], { folder })
    assert.same({ "log, in the child, nil\nlog, in the parent, nil\n", "" }, { result.out, result.err })
  end)

  it("and is collected once it came out", function()
    local weak = setmetatable({}, { __mode = "k" })
    local errors = counter(function()
      local failure = {}
      weak[failure] = true
      return failure
    end)
    for _ = 1, 10 do
      local ws = WebSocket.new "ws://127.0.0.1:1/"
      ws.log = function() errors.fail() end
      ws.on_status = function() errors.fail() end
      ws:close()
      for _ = 1, 2 do assert.is_false((pcall(WebSocket.run))) end
    end
    assert.equal(20, errors.count())
    errors = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)
