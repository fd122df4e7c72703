-- Writes a feed into a Redis Stream, which workers on other machines can share as a consumer group:
--
--   redis-cli XGROUP CREATE feed workers 0 MKSTREAM
--   redis-cli XREADGROUP GROUP workers worker-1 COUNT 10 BLOCK 0 STREAMS feed '>'
--   redis-cli XACK feed workers ID...
--
--   lua5.4 examples/redis_stream.lua [URL [REDIS_URL]]
--
-- While Redis is down nothing is lost that has come: the message at hand is tried again, the next
-- ones wait in the inbox, and when that is full nothing is read, so that TCP holds the feed back.
-- A message is stored at least once: twice when Redis stored it and its answer was lost. Lost are
-- what the feed sends while there is no connection to it, and the inbox when this process dies.
--
-- Ends when the feed closes the connection with code 1000. Needs redis-lua, which blocks: nothing
-- else in this program goes on until Redis has answered, for two seconds at most.

-- Debian has it (lua-redis) for Lua 5.3; it runs with 5.4 too.
package.path = package.path .. ";/usr/share/lua/5.3/?.lua"

local WebSocket = require "steadysocket"
local redis = require "redis"

local url = arg[1] or "ws://localhost:8080/"
local redis_url = (arg[2] or "redis://127.0.0.1:6379") .. "/?timeout=2"
local STREAM, MAX_LENGTH = "feed", 1000000 -- entries; older ones go, read or not

redis.commands.xadd = redis.command "XADD" -- it is older than streams

local store -- the connection to Redis

local function add(data, kind)
  store = store or redis.connect(redis_url)
  store:xadd(STREAM, "MAXLEN", "~", MAX_LENGTH, "*", "kind", kind, "data", data)
end

local ws = WebSocket.new {
  url = url,
  name = "feed",
  inbox = { max_bytes = 256 * 1024 },
  log = true,
  should_reconnect = function(event) return event.code ~= 1000 end,
}

WebSocket.spawn(function()
  ws:connect()
  for data, kind in ws:messages() do
    repeat
      local ok, message = pcall(add, data, kind)
      if not ok then
        io.stderr:write(message, "; trying again\n")
        store = nil
        WebSocket.sleep(1)
      end
    until ok
  end
end)

WebSocket.run()
