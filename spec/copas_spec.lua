-- Debian 12 and 13 have Copas 1.2, for Lua 5.2 at most; being in Lua, it runs with 5.4 as well. It has no
-- timers and no end: the prelude does what its users do. Copas 4 is taken where it is installed.

local child = require "support.child"
local hosted = require "support.hosted"

local copas = {
  name = "copas",
  module = "copas",
  prelude = [[
    local copas = require "copas"
    local function attach() require("steadysocket.copas").attach() end
    local loop, later, in_coroutine, finish
    if copas.finished then
      function loop() copas.loop() end
      function later(seconds, fn)
        copas.addthread(function()
          copas.pause(seconds)
          fn()
        end)
      end
      in_coroutine = copas.addthread
      function finish() end
    else
      local gettime = require "socket".gettime
      local due, over = {}, false
      function later(seconds, fn) due[fn] = gettime() + seconds end
      function in_coroutine(fn) later(0, fn) end
      function finish() over = true end
      function loop()
        over = false
        while not over do
          local now, next_due = gettime(), nil
          for fn, at in pairs(due) do
            if at <= now then
              due[fn] = nil
              fn()
              next_due = 0
            else
              next_due = math.min(next_due or math.huge, at - now)
            end
          end
          if not over then copas.step(next_due) end
        end
      end
    end
  ]],
}

local modern = child.run(copas.prelude .. "\nassert(copas.finished)").code == 0
copas.ends, copas.waits = modern, modern
copas.naps = modern and 10 or 0 -- Copas 4 looks after its time-outs ten times a second

describe("Copas", function()
  local it = hosted.specs(copas, _ENV)

  it("hands an error in a handler to its own error handler, and goes on", function()
    local result = hosted.passes(copas, [[
      attach()
      WebSocket.after(0, function() error "on purpose" end)
      WebSocket.after(0.01, function() print "goes on" finish() end)
      loop()
    ]])
    assert.matches("on purpose\nstack traceback:.*\ngoes on\n$", result)
  end)
end)
