-- Random tests that can be run again: chance(fn) is a test that seeds math.random first, and prints
-- the seed when it fails. STEADY_SEED=n runs them all with that seed.

local seed = tonumber(os.getenv "STEADY_SEED") or os.time() + math.random(1 << 24)

local function report(message)
  io.stderr:write(("\nfailed with STEADY_SEED=%d: %s\n"):format(seed, tostring(message)))
  return message
end

local chance = {}

--- How many of so many random cases to try: fewer on a machine that is slow by SPEC_PATIENCE, at least one.
function chance.rounds(count)
  return math.max(1, math.floor(count / (tonumber(os.getenv "SPEC_PATIENCE") or 1)))
end

--- So many bytes, each of any value.
function chance.bytes(size)
  local bytes = {}
  for i = 1, size do
    bytes[i] = string.char(math.random(0, 255))
  end
  return table.concat(bytes)
end

return setmetatable(chance, {
  __call = function(_, fn)
    return function()
      math.randomseed(seed)
      local ok, message = xpcall(fn, report)
      if not ok then
        error(message, 0)
      end
    end
  end,
})
