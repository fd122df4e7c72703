-- Waiting in specs: turns of the loop under test until something is so, never a fixed sleep.

local socket = require "socket"
local WebSocket = require "steadysocket"

local turn = {}

local LIMIT = 5 -- seconds
local patience = tonumber(os.getenv "SPEC_PATIENCE") or 1 -- more under valgrind and the like

local companions = {}

--- Has `fn` run in each turn, for what lives in this thread beside the client.
function turn.along(fn)
  companions[#companions + 1] = fn
end

--- One short turn of everything.
function turn.once()
  for _, companion in ipairs(companions) do companion() end
  -- With no work left, step does not wait: we must not spin.
  if not WebSocket.step(0.002) then socket.sleep(0.001) end
end

--- Turns until condition() is true and returns what it returned; after `limit` seconds, an error.
function turn.till(condition, what, limit)
  local deadline = socket.gettime() + (limit or LIMIT) * patience
  while true do
    local result = condition()
    if result then return result end
    if socket.gettime() > deadline then error("timed out waiting for " .. what, 2) end
    turn.once()
  end
end

--- Turns until condition() is true, through all that handlers raise meanwhile, and returns a list
--- of it. condition() must not turn.
function turn.through(condition, what, limit)
  local errors = {}
  local deadline = socket.gettime() + (limit or LIMIT) * patience
  while not condition() do
    if socket.gettime() > deadline then error("timed out waiting for " .. what, 2) end
    local ok, message = pcall(turn.once)
    if not ok then errors[#errors + 1] = message end
  end
  return errors
end

--- Turns for `seconds`, to see that something does not happen: condition() must stay false.
function turn.never(condition, what, seconds)
  local deadline = socket.gettime() + seconds
  repeat
    if condition() then error("unexpected: " .. what, 2) end
    turn.once()
  until socket.gettime() > deadline
end

return turn
