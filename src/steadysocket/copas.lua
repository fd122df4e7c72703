--- steadysocket inside Copas.
--
--   local copas = require "copas"
--   require("steadysocket.copas").attach()
--   ...                                    -- clients, timers, tasks as usual
--   copas.loop()                           -- instead of WebSocket.run()
--
-- Calls that wait (ws:receive, ws:messages, ws:wait, ws:flush, WebSocket.sleep) may be made in any
-- thread of Copas, not only in tasks; the other threads go on meanwhile. copas.loop() returns when
-- nothing is left to do. An error in a handler goes to Copas's error handler.
--
-- This is so in Copas 4. In Copas 1, which Debian 12 and 13 have, threads cannot sleep, so only
-- tasks can wait there. And the loop of Copas 1 never returns.

local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"
local copas = require "copas"

local adapter = {}

-- A table { step, socket, changed, serving }. `changed` says whether a turn is due, and `serving`
-- whether a thread runs our loop.
local attachment

-- Returns an object that Copas takes for a socket. The object is readable whenever a turn is due.
local function new_socket(self)
  local asked = false
  return {
    getfd = function() return WebSocket.fd() end,
    dirty = function() return self ~= attachment or self.changed or WebSocket.timeout() == 0 end,
    receive = function()
      asked = not asked
      if asked then return nil, "timeout" end
      return true
    end,
    close = function() end,
  }
end

local start

-- The function of the thread of Copas that runs our loop while there is work.
local function serve(self)
  while true do
    copas.receive(self.socket)
    if self ~= attachment then return end
    self.changed = false
    local ok, left = pcall(self.step)
    if not ok then
      start(self) -- a new thread, since the error ends this one
      error(left, 0)
    end
    if not left then break end
  end
  self.serving = false
end

function start(self)
  self.changed, self.serving = true, true
  copas.addthread(function() serve(self) end)
end

local function wake()
  if attachment.serving then
    attachment.changed = true
  else
    start(attachment)
  end
end

-- Returns the waiter for the thread of Copas that is running, or nil when it cannot wait.
local function waiter()
  if not copas.pauseforever or not coroutine.isyieldable() then return nil end
  local thread, asleep = coroutine.running(), false
  return {
    pause = function()
      asleep = true
      copas.pauseforever()
      asleep = false
      return true
    end,
    wake = function()
      if asleep then copas.wakeup(thread) end
    end,
  }
end

-- Replaces copas.step, which might wait beyond our next turn.
local copas_step = copas.step

local function step(timeout)
  local due = attachment.serving and WebSocket.timeout()
  return copas_step(due and math.min(timeout or due, due) or timeout)
end

--- From now on Copas runs our loop. A second call does nothing. Raises while another loop is
--- attached.
function adapter.attach()
  if attachment then return end
  local turn = internal.attach { name = "copas", wake = wake, waiter = waiter }
  attachment = { step = turn }
  attachment.socket = new_socket(attachment)
  copas.step = step
  wake()
end

--- From now on WebSocket.run() runs our loop again.
function adapter.detach()
  if not attachment then return end
  internal.detach()
  copas.step = copas_step
  attachment = nil
end

return adapter
