--- Sends what comes from standard input: lines from a pipe or a file, or those typed at a terminal.

require "steadysocket.loader"
local WebSocket = require "steadysocket"
local sessions = require "steadysocket.cli.session"

local EXIT, NAME = sessions.EXIT, sessions.NAME
local fail, finish = sessions.fail, sessions.finish
local MAX_LINE = 16 * 1024 * 1024 -- bytes, as many as the queue takes by default

local input = {}

-- Sends a line. Waits while the queue is full.
local function send(session, text)
  local ws, kind = session.ws, session.options.binary and "binary" or "text"
  session.line = session.line + 1
  repeat
    local sent, _, code = ws:send(text, kind)
    if code == "invalid" then
      fail(session, ("line %d is not UTF-8; send it with --binary"):format(session.line))
    elseif code == "message_size" then
      fail(session, ("line %d is longer than 16 MiB; split it"):format(session.line))
    elseif code == "queue_full" then
      ws:flush()
    end
  until sent or code ~= "queue_full"
end

-- Sends the lines that end in this piece of input, and keeps the beginning of the next line.
local function take_lines(session, data)
  local start = 1
  for stop in data:gmatch "()\n" do
    table.insert(session.pieces, data:sub(start, stop - 1))
    start = stop + 1
    send(session, table.concat(session.pieces))
    session.pieces, session.size = {}, 0
    if session.code then return end
  end
  table.insert(session.pieces, data:sub(start))
  session.size = session.size + #data - start + 1
  if session.size > MAX_LINE then
    fail(session, ("line %d is longer than 16 MiB; split it"):format(session.line + 1))
  end
end

-- Handles the end of the input: sends everything, waits for answers, and then ends the session.
local function wait_for_answers(session)
  if session.size > 0 then send(session, table.concat(session.pieces)) end
  if not session.opened then session.ws:wait "open" end
  session.ws:flush()
  local seconds = session.options["no-close"] and -1 or session.options.wait or 1
  if seconds < 0 or session.code then return end
  session.all_sent = true
  local silent = 0 -- how many quarters of that time in a row brought no message
  repeat
    local received = session.received
    WebSocket.sleep(seconds / 4)
    silent = received == session.received and silent + 1 or 0
  until silent == 4
  finish(session, EXIT.done)
end

--- Takes a piece of input. `data` is nil at the end of the input, or when it cannot be read, as
--- `problem` says.
function input.take(session, data, problem)
  if problem then
    return WebSocket.spawn(fail, session, "standard input cannot be read: " .. problem)
  end
  if not data then return WebSocket.spawn(wait_for_answers, session) end
  session.input:pause()
  WebSocket.spawn(function()
    take_lines(session, data)
    session.input:resume()
  end)
end

--- Sends a line that was typed.
function input.send_line(session, line)
  if line == "" then return end
  local sent, problem = session.ws:send(line, session.options.binary and "binary" or "text")
  if not sent then session.output:notice("red", problem:gsub("^" .. NAME .. ": ", "not sent: ")) end
  session.output:refresh()
end

return input
