local chance = require "support.chance"
local core = require("core_binding").backoff

-- The defaults, without jitter, and what a test changes.
local function backoff(changes)
  local result = { min_delay = 0.5, max_delay = 30, factor = 2, jitter = 0 }
  for name, value in pairs(changes or {}) do
    result[name] = value
  end
  return result
end

local ALMOST_ONE = 1 - 2 ^ -53

describe("the backoff", function()
  it("doubles the delay with each failure, up to the largest", function()
    local delays = {}
    for failures = 1, 9 do
      delays[failures] = core.delay(backoff(), failures, 0)
    end
    assert.same({ 0.5, 1, 2, 4, 8, 16, 30, 30, 30 }, delays)
  end)

  it("waits the first delay when a connection that lasted is lost", function()
    assert.equal(0.5, core.delay(backoff(), 0, 0))
  end)

  it("keeps the delay with a factor of 1", function()
    for failures = 0, 1000 do
      assert.equal(0.5, core.delay(backoff { factor = 1 }, failures, 0))
    end
  end)

  it("without jitter, does not depend on the random number", function()
    for _, random in ipairs { 0, 0.5, ALMOST_ONE } do
      assert.equal(4, core.delay(backoff(), 4, random))
    end
  end)

  it("with full jitter, is anything from nothing to the whole delay", function()
    local full = backoff { jitter = 1 }
    assert.equal(4, core.delay(full, 4, 0))
    assert.equal(2, core.delay(full, 4, 0.5))
    local least = core.delay(full, 4, ALMOST_ONE)
    assert(least > 0 and least < 1e-12)
  end)

  it("with a part of jitter, keeps the rest of the delay", function()
    local part = backoff { jitter = 0.25 }
    assert.equal(4, core.delay(part, 4, 0))
    assert.equal(3.5, core.delay(part, 4, 0.5))
    assert.near(3, core.delay(part, 4, ALMOST_ONE), 1e-12)
  end)

  it("stays at the largest delay through the longest outage", function()
    for _, failures in ipairs { 1000, 2000, 1 << 31, (1 << 32) - 1 } do
      assert.equal(30, core.delay(backoff(), failures, 0))
      assert.equal(30, core.delay(backoff { factor = 1e6 }, failures, 0))
      assert.equal(30, core.delay(backoff { min_delay = 5e-324, factor = 100 }, failures, 0))
    end
  end)

  it("does not wait with a min_delay of 0, however many failures there were", function()
    for _, failures in ipairs { 0, 1, 10, 5000, (1 << 32) - 1 } do
      assert.equal(0, core.delay(backoff { min_delay = 0, jitter = 1 }, failures, 0.5))
    end
  end)

  it("does not wait with a max_delay of 0", function()
    assert.equal(0, core.delay(backoff { min_delay = 0, max_delay = 0 }, 7, 0.5))
  end)

  it("is the formula of its bounds, for any options", chance(function()
    for _ = 1, 20000 do
      local min_delay = math.random() * 10 ^ math.random(-3, 3)
      local options = {
        min_delay = min_delay,
        max_delay = min_delay * (1 + math.random() * 10 ^ math.random(0, 6)),
        factor = 1 + math.random() * 10 ^ math.random(-2, 4),
        jitter = math.random(4) == 1 and math.random(0, 1) or math.random(),
      }
      local failures = math.random(0, 10 ^ math.random(0, 5) // 1 | 0)
      local whole =
        math.min(options.max_delay, min_delay * options.factor ^ math.max(failures - 1, 0))
      local delay = core.delay(options, failures, math.random())
      assert(delay <= whole * (1 + 1e-12), "over the whole delay")
      assert(delay >= whole * (1 - options.jitter) - whole * 1e-12, "under the least delay")
      assert(math.abs(core.delay(options, failures, 0) - whole) <= whole * 1e-9, "formula")
    end
  end))

  it("spreads the delays evenly", chance(function()
    local buckets, draws = {}, 20000
    for _ = 1, draws do
      local bucket = core.delay(backoff { jitter = 1 }, 4, math.random()) * 10 / 4 // 1 | 0
      buckets[bucket] = (buckets[bucket] or 0) + 1
    end
    for bucket = 0, 9 do
      assert.near(draws / 10, buckets[bucket], draws / 50)
    end
  end))
end)

describe("a delay that the server has asked for", function()
  local function asked(options, failures, seconds, random)
    return core.asked(backoff(options), failures, seconds, random)
  end

  it("is never shorter, and longer by up to a tenth", function()
    local options = { min_delay = 0.5, max_delay = 30, factor = 2, jitter = 1 }
    assert.equal(600, asked(options, 1, 600, 0))
    assert.equal(630, asked(options, 1, 600, 0.5))
    assert.equal(660, asked(options, 1, 600, 1))
  end)

  it("is longer by up to what the failures would make, where that is more", function()
    local options = { min_delay = 0.5, max_delay = 30, factor = 2, jitter = 1 }
    assert.equal(1, asked(options, 4, 1, 0))
    assert.equal(5, asked(options, 4, 1, 1))
    assert.equal(31, asked(options, 50, 1, 1))
  end)

  it("is spread by as much as jitter says", function()
    assert.equal(600, asked({ min_delay = 0.5, max_delay = 30, factor = 2, jitter = 0 }, 9, 600, 0.9))
    assert.equal(630, asked({ min_delay = 0.5, max_delay = 30, factor = 2, jitter = 0.5 }, 1, 600, 1))
  end)
end)
