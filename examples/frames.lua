-- A frame loop, 60 frames a second, as of a game: WebSocket.step(0) once a frame does what there is
-- to do and never waits. Sends a position each frame, and tells how long the longest step took.
--
--   lua5.4 examples/frames.lua [URL [SECONDS]]
--
-- Needs LuaSocket, for the clock.

local WebSocket = require "steadysocket"
local socket = require "socket"

local url, seconds = arg[1] or "ws://localhost:8080/", tonumber(arg[2]) or 5
local FRAME = 1 / 60 -- seconds

local received, longest = 0, 0

local ws = WebSocket.new(url, function() received = received + 1 end, "game")
ws:connect()

local start = socket.gettime()
local frames = math.floor(seconds / FRAME + 0.5)

for frame = 1, frames do
  -- What the player did; nothing is kept for later while there is no connection.
  if ws.status == "open" then ws:send(("position %d"):format(frame)) end

  local before = socket.gettime()
  WebSocket.step(0)
  longest = math.max(longest, socket.gettime() - before)

  -- Here a game would draw. Then it waits for the next frame, unless that is due already.
  socket.sleep(math.max(0, start + frame * FRAME - socket.gettime()))
end

print(("%d frames, %d messages back; the longest step took %.3f ms"):format(
  frames, received, longest * 1000))

ws:close()
WebSocket.run() -- until the closing handshake is done
