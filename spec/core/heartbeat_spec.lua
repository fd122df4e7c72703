local core = require("core_binding").heartbeat

-- Heard at 100, an interval of 20 and a timeout of 5 seconds, and what a test changes.
local function new(changes)
  local options = { interval = 20, timeout = 5, heard = 100 }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  return core.new(options)
end

local function payload(number)
  return "steady" .. (">I8"):pack(number)
end

describe("the heartbeat", function()
  it("asks after an interval of silence, and not before", function()
    local heartbeat = new()
    assert.equal(120, heartbeat:deadline())
    assert.equal("alive", heartbeat:check(119.999))
    assert.equal("ask", heartbeat:check(120))
    assert.equal("ask", heartbeat:check(1000))
  end)

  it("takes any byte for life", function()
    local heartbeat = new()
    heartbeat:hear(119)
    assert.equal(139, heartbeat:deadline())
    assert.equal("alive", heartbeat:check(138.9))
    assert.equal("ask", heartbeat:check(139))
  end)

  it("declares the peer dead when nothing came within the timeout after the question", function()
    local heartbeat = new()
    heartbeat:ask(0, 120)
    assert.equal(125, heartbeat:deadline())
    assert.equal("alive", heartbeat:check(124.999))
    assert.equal("dead", heartbeat:check(125))
  end)

  it("gives a question that went out late its whole time", function()
    local heartbeat = new()
    heartbeat:ask(0, 150)
    assert.equal("alive", heartbeat:check(154.9))
    assert.equal("dead", heartbeat:check(155))
  end)

  it("begins anew when something comes in time, be it no answer", function()
    local heartbeat = new()
    heartbeat:ask(0, 120)
    heartbeat:hear(124.5)
    assert.equal("alive", heartbeat:check(144))
    assert.equal("ask", heartbeat:check(144.5))
    heartbeat:ask(0, 144.5)
    assert.equal("dead", heartbeat:check(149.5))
  end)

  it("takes what comes in the very millisecond of the question for an answer to it", function()
    local heartbeat = new()
    heartbeat:ask(0, 120)
    heartbeat:hear(120)
    assert.equal("ask", heartbeat:check(140))
  end)

  it("lets a confirming ping of before the silence not count as a question", function()
    local heartbeat = new()
    heartbeat:ask(7, 101)
    heartbeat:hear(102)
    assert.equal("alive", heartbeat:check(121.9))
    assert.equal("ask", heartbeat:check(122))
  end)

  it("lets a confirming ping within the silence stand for the question", function()
    local heartbeat = new()
    heartbeat:ask(7, 110)
    assert.equal("alive", heartbeat:check(124.9))
    assert.equal("dead", heartbeat:check(125))
  end)

  it("does nothing when it is off", function()
    local heartbeat = new { on = false }
    assert.equal(math.huge, heartbeat:deadline())
    assert.equal("alive", heartbeat:check(1e9))
    heartbeat:ask(3, 200)
    assert.equal(math.huge, heartbeat:deadline())
    assert.equal("alive", heartbeat:check(1e9))
  end)
end)

describe("a ping of ours", function()
  it("has a number, which counts up", function()
    local heartbeat = new()
    for number = 1, 300 do
      assert.equal(payload(number), heartbeat:ask(0, 100 + number))
    end
  end)

  it("is answered by a pong of the same number: the latency, and what it confirms", function()
    local heartbeat = new()
    local latency, confirmed = heartbeat:pong(heartbeat:ask(12, 120), 120.25)
    assert.equal(0.25, latency)
    assert.equal(12, confirmed)
  end)

  it("is answered once", function()
    local heartbeat = new()
    local ping = heartbeat:ask(12, 120)
    heartbeat:pong(ping, 121)
    assert.same({ nil, 0, n = 2 }, table.pack(heartbeat:pong(ping, 122)))
  end)

  it("that was answered does not count as a question any more", function()
    local heartbeat = new()
    local ping = heartbeat:ask(0, 120)
    heartbeat:hear(120)
    heartbeat:pong(ping, 120)
    assert.equal("ask", heartbeat:check(140))
  end)

  it("that confirms messages is asked again after a second, or four times the latency, and then ever later", function()
    local heartbeat = new()
    assert.equal(math.huge, heartbeat:repetition())
    heartbeat:ask(3, 100)
    assert.equal(101, heartbeat:repetition())
    local now = 101
    for _, wait in ipairs { 2, 4, 8, 16, 20, 20 } do -- up to the interval
      heartbeat:ask(3, now)
      assert.equal(now + wait, heartbeat:repetition())
      now = now + wait
    end
    heartbeat:ask(3, now)
    heartbeat:hear(now + 0.5)
    heartbeat:pong(payload(8), now + 0.5)
    assert.equal(math.huge, heartbeat:repetition())
    heartbeat:ask(1, 300)
    assert.equal(302, heartbeat:repetition())
  end)

  it("that is asked again gives a silent peer no more time", function()
    local heartbeat = new()
    heartbeat:ask(1, 119)
    local deadline = heartbeat:deadline()
    for now = 120, 124 do heartbeat:ask(1, now) end
    assert.equal(deadline, heartbeat:deadline())
    assert.equal("dead", heartbeat:check(deadline))
  end)

  it("confirms what it covers also when another one has gone out since, which goes on", function()
    local heartbeat = new()
    local first, second = heartbeat:ask(5, 120), heartbeat:ask(9, 121)
    assert.same({ nil, 5, n = 2 }, table.pack(heartbeat:pong(first, 122)))
    assert.same({ 2, 0 }, { heartbeat:pong(second, 123) })
  end)

  it("that is never answered is by the pong of a later one (RFC 6455 section 5.5.3)", function()
    local heartbeat = new()
    heartbeat:ask(5, 120)
    assert.same({ 2, 5 }, { heartbeat:pong(heartbeat:ask(9, 121), 123) })
  end)

  it("that covered nothing does not confirm what a later one covers", function()
    local heartbeat = new()
    local first, second = heartbeat:ask(0, 120), heartbeat:ask(9, 121)
    assert.same({ nil, 0, n = 2 }, table.pack(heartbeat:pong(first, 122)))
    assert.same({ 2, 9 }, { heartbeat:pong(second, 123) })
  end)

  it("confirms nothing by a number that was never sent", function()
    local heartbeat = new()
    assert.same({ nil, 0, n = 2 }, table.pack(heartbeat:pong(payload(0), 101)))
    heartbeat:ask(5, 120)
    assert.same({ nil, 0, n = 2 }, table.pack(heartbeat:pong(payload(2), 121)))
    assert.same({ nil, 0, n = 2 }, table.pack(heartbeat:pong(payload(1 << 56), 121)))
  end)

  it("is not answered by a pong of another shape, which is the user's", function()
    local heartbeat = new()
    local ping = heartbeat:ask(5, 120)
    for _, other in ipairs { "", "steady", ping:sub(1, -2), ping .. "\0", "Steady" .. ping:sub(7) } do
      assert.is_false(heartbeat:pong(other, 121))
    end
    assert.same({ 2, 5 }, { heartbeat:pong(ping, 122) })
  end)
end)
