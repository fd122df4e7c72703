-- Coroutines in cqueues: each feed has one that waits for its messages, one prints what is known
-- once a second, and one waits for Ctrl-C.
--
--   lua5.4 examples/cqueues.lua [URL]
--
-- Needs cqueues.

local WebSocket = require "steadysocket"
local cqueues = require "cqueues"
local signal = require "cqueues.signal"

local url = arg[1] or "ws://localhost:8080/prices"

local cq = cqueues.new()
require("steadysocket.cqueues").attach(cq)
io.stdout:setvbuf "line"

local feeds, latest = {}, {}

local function follow(symbol)
  local ws = WebSocket.new { url = url, name = symbol, log = true }
  ws.on_open = function() ws:send("subscribe " .. symbol) end
  feeds[#feeds + 1] = ws
  ws:connect()
  for price in ws:messages() do
    latest[symbol] = price -- the other coroutines go on while this one waits for the next
  end
  latest[symbol] = nil
end

local function tick()
  repeat
    cqueues.sleep(1)
    print(latest["EUR/USD"] or "EUR/USD ?", latest["GBP/USD"] or "GBP/USD ?")
  until feeds[1].status == "closed" and feeds[2].status == "closed"
end

local function interrupted()
  signal.listen(signal.SIGINT):wait()
  signal.unblock(signal.SIGINT) -- so that a second one ends it at once
  for _, ws in ipairs(feeds) do ws:close() end
end

signal.block(signal.SIGINT) -- before there are threads, which look up names
cq:wrap(follow, "EUR/USD")
cq:wrap(follow, "GBP/USD")
cq:wrap(tick)
cq:wrap(interrupted)
assert(cq:loop())
