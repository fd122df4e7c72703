local chance = require "support.chance"
local core = require("core_binding").session

local EVENTS = { "connect", "close", "reconnect", "begun", "opened", "failed", "lost", "due" }

-- A session in the status named, at time 100, on its first attempt.
local ways = {
  idle = {},
  connecting = { "connect", "begun" },
  open = { "connect", "opened" },
  waiting = { "connect", "failed" },
  closing = { "connect", "opened", "close" },
  closed = { "close" },
}

local function session_in(status, options)
  local session = core.new(options or {})
  for _, event in ipairs(ways[status]) do
    session:handle(event, 100, 2)
  end
  assert.equal(status, session:status())
  return session
end

-- What each event does in each status at time 101, with a delay of 2: the next status, the action,
-- the deadline. Events that are missing change nothing.
local transitions = {
  idle = {
    connect = { "connecting", "attempt", math.huge }, -- until it begins
    close = { "closed", "none", math.huge },
  },
  connecting = {
    begun = { "connecting", "none", 111 },
    close = { "closed", "drop", math.huge },
    reconnect = { "connecting", "attempt", math.huge },
    opened = { "open", "none", math.huge },
    failed = { "waiting", "none", 103 },
    due = { "connecting", "time_out", math.huge }, -- the caller reports failed at once
  },
  open = {
    close = { "closing", "finish", 106 },
    reconnect = { "connecting", "attempt", math.huge },
    lost = { "waiting", "none", 103 },
  },
  waiting = {
    close = { "closed", "none", math.huge },
    reconnect = { "connecting", "attempt", math.huge },
    due = { "connecting", "attempt", math.huge },
  },
  closing = {
    lost = { "closed", "none", math.huge },
    due = { "closed", "drop", math.huge },
  },
  closed = {
    connect = { "connecting", "attempt", math.huge },
    close = { "closed", "none", math.huge },
  },
}

describe("a session", function()
  for status, rows in pairs(transitions) do
    for _, event in ipairs(EVENTS) do
      local row = rows[event]
      local what = row and "leads to " .. row[1] or "is ignored"
      it(("that is %s: %s %s"):format(status, event, what), function()
        local session = session_in(status)
        local expected = row or { status, "none", session:deadline() }
        local action = session:handle(event, 101, 2)
        assert.same(expected, { session:status(), action, session:deadline() })
      end)
    end
  end

  it("is active from connect until it is closed", function()
    local active = {}
    for status in pairs(ways) do
      active[status] = session_in(status):active()
    end
    assert.same({
      idle = false,
      connecting = true,
      open = true,
      waiting = true,
      closing = true,
      closed = false,
    }, active)
  end)

  it("is closed by an attempt that fails, or a connection that ends, for the last time", function()
    for status, event in pairs { connecting = "failed", open = "lost" } do
      local session = session_in(status)
      assert.equal("none", session:handle(event, 101, -1))
      assert.equal("closed", session:status())
      assert.equal(math.huge, session:deadline())
    end
  end)

  it("counts attempts", function()
    local session = session_in "connecting"
    for attempt = 1, 5 do
      assert.equal(attempt, session:attempt())
      session:handle("failed", 101, 2)
      assert.equal(attempt, session:attempt())
      session:handle("due", 103)
    end
  end)

  it("counts from 1 again after a connection that lasted", function()
    local session = session_in("waiting", { min_uptime = 5 })
    session:handle("due", 102)
    session:handle("opened", 103)
    session:handle("lost", 108, 1)
    session:handle("due", 109)
    assert.equal(1, session:attempt())
  end)

  it("goes on counting after a connection that did not last", function()
    local session = session_in("waiting", { min_uptime = 5 })
    session:handle("due", 102)
    session:handle("opened", 103)
    session:handle("lost", 107.999, 1)
    session:handle("due", 109)
    assert.equal(3, session:attempt())
  end)

  it("counts from 1 again when the user wants a new connection", function()
    for _, status in ipairs { "connecting", "open", "waiting" } do
      local session = session_in "waiting"
      session:handle("due", 102)
      if status == "open" then
        session:handle("opened", 102)
      elseif status == "waiting" then
        session:handle("failed", 102, 1)
      end
      assert.equal(status, session:status())
      session:handle("reconnect", 103)
      assert.equal(1, session:attempt())
    end
  end)

  it("lets the delay grow with the failures, also with connections that do not last", function()
    local session = session_in("connecting", { jitter = 0 })
    local delays, now = {}, 100
    for i = 1, 8 do
      if i % 2 == 0 then
        session:handle("opened", now)
      end
      delays[i] = session:delay(now, 0.5)
      session:handle(i % 2 == 0 and "lost" or "failed", now, delays[i])
      now = session:deadline()
      session:handle("due", now)
    end
    assert.same({ 0.5, 1, 2, 4, 8, 16, 30, 30 }, delays)
  end)

  it("waits the first delay again after a connection that lasted", function()
    local session = session_in("open", { jitter = 0, min_uptime = 5 })
    assert.equal(0.5, session:delay(105, 0.5))
  end)

  it("has no further attempt after max_attempts failures in a row", function()
    local session = session_in("connecting", { max_attempts = 3 })
    for _ = 1, 2 do
      assert(session:delay(101, 0.5) >= 0)
      session:handle("failed", 101, 1)
      session:handle("due", 102)
    end
    assert.equal(-1, session:delay(103, 0.5))
  end)

  it("with max_attempts = 1, comes back only after a connection that lasted", function()
    local session = session_in("open", { max_attempts = 1, min_uptime = 5 })
    assert.equal(-1, session:delay(104, 0.5))
    assert(session:delay(105, 0.5) >= 0)
  end)

  it("with reconnect = false, has one attempt", function()
    assert.equal(-1, session_in("connecting", { reconnect = false }):delay(101, 0.5))
    assert.equal(-1, session_in("open", { reconnect = false }):delay(1000, 0.5))
  end)

  it("does not come back from a close", function()
    assert.equal(-1, session_in("closing"):delay(1000, 0.5))
  end)

  it("can be used anew when it is closed", function()
    local session = session_in("connecting", { max_attempts = 1 })
    session:handle("failed", 101, session:delay(101, 0.5))
    assert.equal("closed", session:status())
    assert.equal("attempt", session:handle("connect", 200))
    assert.equal(1, session:attempt())
    session:handle("begun", 203)
    assert.equal(213, session:deadline())
  end)
end)

--------------------------------------------------------------------------------------------------
-- Any order of events

-- Carries out what the session says, as client/change does, and knows by itself what must hold: what
-- lives (an attempt, whether it has begun, a connection or nothing), and the failures since the last
-- success.
local World = {}
World.__index = World

local function random_options()
  return {
    min_delay = math.random(0, 1) * math.random(),
    max_delay = 1 + math.random() * 30,
    jitter = math.random(),
    min_uptime = math.random(0, 10),
    max_attempts = math.random(3) == 1 and math.huge or math.random(1, 4),
    connect_timeout = 0.001 + math.random() * 20,
    close_timeout = math.random() * 10,
    reconnect = math.random(5) > 1,
  }
end

local function new_world()
  local options = random_options()
  return setmetatable({
    options = options,
    session = core.new(options),
    now = math.random() * 1e6,
    failures = 0,
    trace = {},
  }, World)
end

function World:fail(what)
  local last = table.concat(self.trace, " ", math.max(1, #self.trace - 30))
  error(("%s after ... %s"):format(what, last), 0)
end

function World:check(condition, what)
  if not condition then
    self:fail(what)
  end
end

local LIVES = { connecting = "attempt", open = "connection", closing = "connection" }

function World:check_state()
  local session = self.session
  local status = session:status()
  self:check(self.lives == LIVES[status], "the session does not know what lives")
  local timed = (status == "connecting" and self.begun) or status == "waiting" or status == "closing"
  local deadline = session:deadline()
  self:check(timed == (deadline < math.huge), "a deadline in the wrong status, or none")
  self:check(not timed or deadline >= self.now - 1e-9, "a deadline in the past")
  local rests = status == "idle" or status == "closed"
  self:check(session:active() == not rests, "active")
  self:check(not self.user_closed or status == "closing" or rests, "alive after close")
end

-- What the world knows of an event before the session hears of it.
function World:note(event, status)
  local rests = status == "idle" or status == "closed"
  if event == "close" then
    self.user_closed = true
  elseif event == "connect" and rests then
    self.user_closed, self.failures = false, 0
  elseif event == "begun" and self.lives == "attempt" then
    self.begun = true
  elseif event == "opened" and self.lives == "attempt" then
    self.lives, self.opened_at = "connection", self.now
  elseif event == "failed" and self.lives == "attempt" then
    self.lives, self.failures = nil, self.failures + 1
  elseif event == "lost" and self.lives == "connection" then
    local lasted = self.now - self.opened_at >= self.options.min_uptime
    self.lives, self.failures = nil, lasted and 0 or self.failures + 1
  end
end

function World:carry_out(action, event)
  if action == "attempt" then
    self:check(not self.user_closed, "an attempt after close")
    self:check(not self.lives or event == "reconnect", "a second attempt while one lives")
    self.failures = event == "reconnect" and 0 or self.failures
    self:check(self.failures < self.options.max_attempts, "more than max_attempts")
    self:check(event ~= "due" or self.options.reconnect, "an attempt with reconnect = false")
    self.lives, self.begun = "attempt", false
  elseif action == "drop" then
    self:check(self.lives, "nothing to drop")
    self.lives = nil
  elseif action == "finish" then
    self:check(self.lives == "connection", "nothing to finish")
  elseif action == "time_out" then
    self:check(self.lives == "attempt", "nothing to time out")
    self:handle "failed"
  end
end

function World:handle(event)
  local session, status = self.session, self.session:status()
  self.trace[#self.trace + 1] = status .. ":" .. event
  local delay = session:delay(self.now, math.random())
  self:note(event, status)
  local means_something = transitions[status][event]
  local before = { session:attempt(), session:deadline() }
  local action = session:handle(event, self.now, delay)
  if not means_something then
    local same = session:attempt() == before[1] and session:deadline() == before[2]
    self:check(same and session:status() == status and action == "none", "not ignored")
  end
  self:carry_out(action, event)
  self:check_state()
end

-- Time passes; whatever is due is reported, as a timer would.
function World:pass(seconds)
  local till = self.now + seconds
  while self.session:deadline() <= till do
    self.now = self.session:deadline()
    self:handle "due"
  end
  self.now = till
end

-- All but "due", which comes with time; what ends attempts and connections is more frequent.
local LIKELY = { "connect", "close", "reconnect", "begun", "opened", "opened", "failed", "failed", "lost" }

describe("a session, for any order of events", function()
  it("keeps its promises", chance(function()
    for _ = 1, 600 do
      local world = new_world()
      local quiet = math.random() -- how much time goes by
      for _ = 1, 300 do
        if math.random() < quiet then
          world:pass(math.random() * 10 ^ math.random(-2, 1))
        end
        world:handle(LIKELY[math.random(#LIKELY)])
      end
    end
  end))

  it("goes on by itself until it is open or closed, when the world is silent", chance(function()
    for _ = 1, 2000 do
      local world = new_world()
      world:handle "connect"
      for _ = 1, math.random(0, 10) do
        world:handle(LIKELY[math.random(#LIKELY)])
      end
      local session, turns = world.session, 0
      while session:active() and session:status() ~= "open" and turns < 50 do
        if session:status() == "connecting" and not world.begun then
          world:handle "begun"
        end
        local status, deadline = session:status(), session:deadline()
        world:pass(deadline - world.now)
        world:check(session:status() ~= status or session:deadline() > deadline, "it hangs")
        turns = turns + 1
      end
      local endless = world.options.max_attempts == math.huge and world.options.reconnect
      world:check(turns < 50 or endless, "it goes on for ever")
    end
  end))
end)
