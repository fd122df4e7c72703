--- Writes messages and notices: into a pipe or a file, or to the terminal.

require "steadysocket.loader"
local Terminal = require "steadysocket.cli.terminal"
local WebSocket = require "steadysocket"

local output = {}

--- Writes a line to standard error.
function output.complain(text)
  io.stderr:write("steadysocket: ", text, "\n")
end

local Pipe = {}
Pipe.__index = Pipe

--- Returns an output into a pipe or a file. on_broken(message, errno) is called when standard
--- output cannot be written any more.
function output.pipe(on_broken)
  io.stdout:setvbuf("full", 64 * 1024)
  return setmetatable({ on_broken = on_broken, shown = Terminal.is_terminal(1) }, Pipe)
end

function Pipe:flush()
  local ok, message, errno = io.stdout:flush()
  if not ok then self.on_broken(message, errno) end
end

-- The messages of one turn of the loop are written together.
local function flush_soon(pipe)
  if pipe.flushing then return end
  pipe.flushing = true
  WebSocket.after(0, function()
    pipe.flushing = false
    pipe:flush()
  end)
end

function Pipe:message(data, kind)
  if self.shown and kind == "text" then data = Terminal.harmless(data) end
  local ok, message, errno = io.stdout:write(data, kind == "text" and "\n" or "")
  if not ok then self.on_broken(message, errno) end
  flush_soon(self)
end

function Pipe.notice(_, _, text)
  output.complain(text)
end

function Pipe.refresh() end
Pipe.close = Pipe.flush

--------------------------------------------------------------------------------------------------

local Screen = {}
Screen.__index = Screen

local STATUS_COLOUR = { open = "green", closed = "red" }

local function seconds_left(session)
  local left = session.due and math.ceil(session.due - os.time()) or 0
  return ("next attempt in %d s  "):format(math.max(left, 0))
end

-- The latency is in whole milliseconds, like the loop's clock.
local function milliseconds(seconds)
  return seconds < 0.001 and "< 1" or ("%.0f"):format(seconds * 1000)
end

-- Returns the parts of the status line: a word, its colour, and the rest.
local function status_of(session)
  local ws, stats = session.ws, session.ws:stats()
  local parts = {
    ws.status == "waiting" and seconds_left(session) or "",
    ws.latency and ("latency %s ms  "):format(milliseconds(ws.latency)) or "",
    ("sent %d  received %d"):format(stats.sent, stats.received),
    ws.queued > 0 and ("  queued %d"):format(ws.queued) or "",
    ws.unconfirmed > 0 and ("  unconfirmed %d"):format(ws.unconfirmed) or "",
  }
  return ws.status, STATUS_COLOUR[ws.status] or "yellow", table.concat(parts)
end

--- Returns an output to the terminal. `options` are those of Terminal.new, without `status`.
function output.screen(session, options)
  options.status = function() return status_of(session) end
  return setmetatable({ terminal = Terminal.new(options) }, Screen)
end

local function hexadecimal(data)
  local shown = data:sub(1, 24):gsub(".", function(char) return (" %02x"):format(char:byte()) end)
  return ("binary, %d bytes:%s%s"):format(#data, shown, #data > 24 and " ..." or "")
end

function Screen:message(data, kind)
  local text = kind == "text" and Terminal.harmless(data) or hexadecimal(data)
  self.terminal:print("cyan", "< " .. text)
end

function Screen:notice(colour, text)
  self.terminal:print(colour, text)
end

--- Draws the status line again. Has to be called when it may have changed.
function Screen:refresh()
  self.terminal:refresh()
end

function Screen:close()
  self.terminal:close()
end

return output
