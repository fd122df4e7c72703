-- The server that plays the cases (cases.lua says what is in one), each for the client that asks for
-- its path, and writes down what that client says. Which client it is, and in which process, is all
-- the same to it.

local Peer = require "support.peer"
local socket = require "socket"
local turn = require "support.turn"

local server = {}

-- Seconds for what a client has to do next, more under valgrind and the like.
local PATIENCE = 20 * (tonumber(os.getenv "SPEC_PATIENCE") or 1)

local LIMIT = 60 -- seconds for anything that only load can hold up

-- What ends a case: a message, by which it shows whether the stream is still in step, and the close.
server.behind = "behind"
local CLOSE = Peer.encode("close", (">I2"):pack(1000))
local BEHIND = Peer.encode("text", server.behind) .. CLOSE

--------------------------------------------------------------------------------------------------
-- The line to a client, which is what functions in a case get.

local Line = {}
Line.__index = Line

--- Sends the bytes, as far as the client takes them: it may have had enough.
function Line:send(bytes)
  pcall(self.conn.send, self.conn, bytes, LIMIT)
end

local function listen(line)
  local record, conn = line.record, line.conn
  for _, frame in ipairs(conn:frames()) do
    table.insert(record.frames, frame)
    record.closed = record.closed or frame.opcode == Peer.OPCODE.close
  end
  record.ended = conn.ended or false
end

--- Until enough(frames) is so, or the client has closed or ended the connection, or `limit` seconds
--- are over; whether it was so.
function Line:hear(enough, limit)
  limit = limit or PATIENCE
  local record, deadline = self.record, socket.gettime() + limit
  turn.till(function()
    listen(self)
    return enough(record.frames) or record.closed or record.ended or socket.gettime() > deadline
  end, "the client", limit + 1)
  return enough(record.frames)
end

local function never() return false end

local function heard(number)
  return function(frames)
    local count = 0
    for _, frame in ipairs(frames) do count = count + (frame.opcode < 8 and 1 or 0) end
    return count >= number
  end
end

--------------------------------------------------------------------------------------------------
-- A case

local function answer(case, line)
  local conn = line.conn
  if type(case.answer) == "function" then
    local key = conn.asked.headers["sec-websocket-key"]
    line:send(case.answer(conn.asked, Peer.accept_value(key)))
  else
    pcall(conn.upgrade, conn, case.answer)
  end
end

-- The tail goes out in one piece with what is last.
local function say(case, line, tail)
  local held = ""
  for _, piece in ipairs(case.says or {}) do
    if type(piece) == "string" then
      held = held .. piece
    else
      line:send(held)
      held = ""
      piece(line)
    end
  end
  line:send(held .. tail)
end

local function play(case, line)
  local closes = case.ends == nil
  line.conn.piece = case.answer_piece
  answer(case, line)
  line.conn.piece = case.piece
  say(case, line, closes and not case.echo and BEHIND or "")
  line.conn.piece = nil
  if case.ends == "tcp" then return end
  if closes and case.echo then
    line:hear(heard(#case.messages))
    line:send(CLOSE)
  end
  line:hear(never)
end

--------------------------------------------------------------------------------------------------
-- All of them

-- Whoever has connected: finds out what for, and plays that.
local function attend(self, conn)
  local request = conn:request(LIMIT)
  local case = self.cases[tonumber(request.path:match "^/(%d+)")]
  if request.path:find("?redirected", 1, true) then
    self.records[case].redirected = true
    conn:reply("HTTP/1.1 404 Not Found", { ["Content-Length"] = "0" })
  else
    local record = { request = request, frames = {} }
    self.records[case] = record
    play(case, setmetatable({ conn = conn, record = record }, Line))
    record.over = true
  end
  conn:finish()
end

local function attend_safely(self, conn)
  local fine, fault = xpcall(attend, debug.traceback, self, conn)
  if not fine then table.insert(self.faults, fault) end
end

--- Takes in clients from now on, as scripts of support.turn, at `port`. A client asks for "/" and the
--- position of the case. records: case -> { request; frames, as Peer has them; closed: whether there
--- was a close frame; ended: whether the client has ended TCP; redirected: followed a redirect; over:
--- nothing comes any more }. faults: what should not have happened here.
function server.start(cases)
  local peer = Peer.listen()
  local self = { cases = cases, records = {}, faults = {}, port = peer.port }
  turn.script(function()
    while peer.listener do
      if peer:arrivals() > peer.taken then
        local conn = peer:accept()
        turn.script(function() attend_safely(self, conn) end)
      else
        turn.once()
      end
    end
  end)
  return self
end

return server
