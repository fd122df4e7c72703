-- A server with many clients restarts (bench/storm.*). In the simulation time is virtual, and chance
-- the same in each run.

local built = require "support.built"
local child = require "support.child"

local CLIENTS = 10000
local ACCEPTED = 200 -- a second, so all could be back in 50 seconds
local OUTAGE = 10

local function values_of(output)
  local values = {}
  for name, value in output:gmatch "([%w_]+) (%S+)\n" do
    values[name] = value == "inf" and math.huge or tonumber(value)
  end
  return values
end

local function simulate(arguments)
  local pipe = assert(io.popen(built "bench/storm" .. " " .. arguments))
  local output = pipe:read "a"
  assert(pipe:close())
  return values_of(output)
end

local function storm(options)
  return simulate(("--clients %d --rate %d --backlog 41 --outage %d %s"):format(CLIENTS, ACCEPTED,
    OUTAGE, options or ""))
end

local AT_ONCE = "--min-delay 0 --max-delay 0 --jitter 0"
local WITHOUT_JITTER = "--jitter 0"

describe("a simulated storm", function()
  it("ends with all clients back, with the defaults", function()
    local run = storm()
    -- The server could have had all after 50 seconds, and each tries at least every 30.
    assert(run.back_100 < CLIENTS / ACCEPTED + 30 + 1, run.back_100)
  end)

  it("keeps the server busy until most are back, with the defaults", function()
    local run = storm()
    assert(run.back_50 < CLIENTS / 2 / ACCEPTED * 1.02, run.back_50)
  end)

  it("is a storm without jitter, and at once, but not with the defaults", function()
    local bound = CLIENTS / 4 -- attempts in a second, once the server is up
    local defaults, without_jitter, at_once = storm(), storm(WITHOUT_JITTER), storm(AT_ONCE)
    assert(defaults.most_in_a_second_while_up < bound, defaults.most_in_a_second_while_up)
    assert(without_jitter.most_in_a_second_while_up > 3 * bound)
    assert(at_once.most_in_a_second_while_up > 50 * bound)
  end)

  it("costs fewest attempts with the defaults", function()
    local defaults, without_jitter, at_once = storm(), storm(WITHOUT_JITTER), storm(AT_ONCE)
    assert(3 * defaults.attempts < without_jitter.attempts)
    assert(20 * without_jitter.attempts < at_once.attempts)
  end)

  it("takes without jitter many times as long: all come together, and few are let in", function()
    assert(storm(WITHOUT_JITTER).back_100 > 10 * storm().back_100)
  end)

  it("begins more gently with a longer min_delay, and takes about as long", function()
    local defaults, gentle = storm(), storm "--min-delay 5"
    assert(gentle.most_in_a_second < defaults.most_in_a_second / 4)
    assert(gentle.back_100 < defaults.back_100 * 1.1)
  end)

  it("is true to the session's clock for a single client", function()
    -- Waits 0.5, 0.5, 1, 2, 4 and 8 s, each attempt but the last refused after 0.05; the last takes
    -- two round trips, and the server 0.01 to accept it.
    local run = simulate "--clients 1 --rate 100 --outage 10 --jitter 0"
    assert.equal(6, run.attempts)
    assert.equal(1, run.attempts_while_up)
    assert.near(16 + 5 * 0.05 + 0.1 + 0.01 - 10, run.back_100, 0.01)
  end)

  it("gives up on an attempt that the server drops after connect_timeout", function()
    -- Of two at the same time one is accepted. The other one's attempt takes 3 s, then it waits 1.
    local run = simulate("--clients 2 --spread 0 --rate 100 --backlog 0 --drop 1 --outage 0.8"
      .. " --jitter 0 --connect-timeout 3")
    assert.equal(5, run.attempts)
    assert.near(0.5 + 0.05 + 0.5 + 3 + 1 + 0.1 + 0.01 - 0.8, run.back_100, 0.01)
  end)

  it("says so when not all are back in time", function()
    assert.equal(math.huge, storm("--until 20").back_99)
  end)
end)

describe("a real storm", function()
  for name, options in pairs {
    ["with jitter"] = { "--max-delay", "1" },
    ["without jitter"] = { "--max-delay", "1", "--jitter", "0" },
    ["at once"] = { "--min-delay", "0", "--max-delay", "0", "--jitter", "0" },
  } do
    it("ends with all of a hundred clients back, " .. name, function()
      local arguments = { "--clients", "100", "--outage", "0.5" }
      table.move(options, 1, #options, #arguments + 1, arguments)
      local result = child.run('dofile "bench/storm.lua"', arguments)
      assert.same({ "", 0 }, { result.err, result.code })
      local run = values_of(result.out)
      assert(run.up >= 0.5 and run.attempts > 100, result.out)
      assert(run.back_50 <= run.back_99 and run.back_99 <= run.back_100, result.out)
    end)
  end
end)
