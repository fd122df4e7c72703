-- Waiting in specs: turns of the loop under test until something is so, never a fixed sleep.

local socket = require "socket"
local stopwatch = require "support.stopwatch"
local WebSocket = require "steadysocket"

local turn = {}

local LIMIT = 20 -- seconds, of which nobody waits for more than one where all is well
local patience = tonumber(os.getenv "SPEC_PATIENCE") or 1 -- more under valgrind and the like

local companions = {}

--- Has `fn` run in each turn, for what lives in this thread beside the client.
function turn.along(fn)
  companions[#companions + 1] = fn
end

local scripts = {} -- coroutines, those that have not ended

-- A step of each script; what one raises comes out, and that script is over.
local function go_on()
  local before, fault = scripts, nil
  scripts = {}
  for _, script in ipairs(before) do
    local fine, message = coroutine.resume(script)
    if not fine then fault = message end
    if coroutine.status(script) == "suspended" then scripts[#scripts + 1] = script end
  end
  if fault then error(fault, 0) end
end

local of_script = setmetatable({}, { __mode = "k" }) -- coroutine -> true

--- Runs `fn` from the next turn on beside everything else: what waits in it lets the others go on.
function turn.script(fn)
  local script = coroutine.create(fn)
  of_script[script] = true
  scripts[#scripts + 1] = script
end

--- One short turn of everything; in a script, until it is its turn again.
function turn.once()
  if of_script[coroutine.running()] then return coroutine.yield() end
  for _, companion in ipairs(companions) do companion() end
  go_on()
  -- With no work left, step does not wait: we must not spin.
  if not WebSocket.step(0.002) then socket.sleep(0.001) end
end

-- A function that is true once `limit` seconds of this process's own have passed.
local function over(limit)
  local watch, start, seconds = stopwatch.start(), socket.gettime(), (limit or LIMIT) * patience
  return function() return socket.gettime() - start > seconds and select(2, watch()) > seconds end
end

--- Turns until condition() is true and returns what it returned; after `limit` seconds, an error.
function turn.till(condition, what, limit)
  local is_over = over(limit)
  while true do
    local result = condition()
    if result then return result end
    if is_over() then error("timed out waiting for " .. what, 2) end
    turn.once()
  end
end

local STILL = 50 -- turns

--- Turns until a number, which progress() returns, stays what it is, though everything in this thread
--- had its turns. At least `least` of it are waited for.
function turn.till_still(progress, what, limit, least)
  local last, turns = progress(), 0
  turn.till(function()
    local now = progress()
    turns = now == last and turns + 1 or 0
    last = now
    return turns > STILL and now >= (least or 0)
  end, what, limit)
  return last
end

--- Turns until condition() is true, through all that handlers raise meanwhile, and returns a list
--- of it. condition() must not turn.
function turn.through(condition, what, limit)
  local errors, is_over = {}, over(limit)
  while not condition() do
    if is_over() then error("timed out waiting for " .. what, 2) end
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
