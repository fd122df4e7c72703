--- The terminal: messages scroll above a status line and the line that is being typed. These two
-- are erased before a message is printed, and drawn again below it.

require "steadysocket.loader"
local Editor = require "steadysocket.cli.editor"
local WebSocket = require "steadysocket"

local Terminal = {}
Terminal.__index = Terminal

local PROMPT = "> "
local COLOURS = { red = 31, green = 32, yellow = 33, cyan = 36, dim = 2, bold = 1 }

local function ask(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local line = pipe:read "l"
  pipe:close()
  return line
end

--- Returns whether a standard stream (0, 1 or 2) is a terminal.
function Terminal.is_terminal(descriptor)
  return (os.execute("test -t " .. descriptor)) == true
end

--- Replaces control characters, also those of Unicode beyond ASCII, by "?", so that a peer cannot
--- control the terminal.
function Terminal.harmless(text)
  return (text:gsub("[\0-\8\11-\31\127]", "?"):gsub("\xC2[\x80-\x9F]", "?"))
end

--------------------------------------------------------------------------------------------------
-- Widths

-- East Asian characters and emoji are two columns wide.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
  { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF },
  { 0x20000, 0x3FFFD },
}

local function width_of(char)
  local code = #char > 2 and utf8.len(char) and utf8.codepoint(char) or 0
  for _, range in ipairs(WIDE) do
    if code >= range[1] and code <= range[2] then return 2 end
  end
  return 1
end

-- Cuts a line to `room` columns: keeps as much as possible before the cursor, then what fits of the
-- text behind it. Returns the text, and how many of its columns are behind the cursor.
local function visible(chars, cursor, room)
  local first, last, used, behind = cursor + 1, cursor, 0, 0
  while first > 1 and used + width_of(chars[first - 1]) <= room do
    first = first - 1
    used = used + width_of(chars[first])
  end
  while last < #chars and used + width_of(chars[last + 1]) <= room do
    last = last + 1
    used = used + width_of(chars[last])
    behind = behind + width_of(chars[last])
  end
  return (table.concat(chars, "", first, last):gsub("%c", " ")), behind
end

--------------------------------------------------------------------------------------------------
-- Drawing

function Terminal:paint(colour, text)
  if not self.colours then return text end
  return ("\27[%dm%s\27[0m"):format(COLOURS[colour], text)
end

local function erased(terminal)
  if not terminal.drawn then return "" end
  return "\r\27[A\27[J"
end

local function drawn(terminal)
  local editor = terminal.editor
  local text, behind = visible(editor.chars, editor.cursor, terminal.columns - #PROMPT - 1)
  local back = behind > 0 and ("\27[%dD"):format(behind) or ""
  local word, colour, more = terminal.status()
  more = terminal:paint("dim", more:sub(1, terminal.columns - #word - 3))
  return terminal:paint(colour, word) .. "  " .. more .. "\n" .. PROMPT .. text .. back
end

-- Everything that changes in one turn of the loop is drawn together.
local function refresh(terminal)
  terminal.refreshing = false
  local now = drawn(terminal)
  if terminal.closed or (#terminal.lines == 0 and now == terminal.drawn) then return end
  io.stdout:write(erased(terminal), table.concat(terminal.lines), now)
  io.stdout:flush()
  terminal.lines, terminal.drawn = {}, now
end

--- Draws what has changed, together with everything else that changes in this turn of the loop.
function Terminal:refresh()
  if self.refreshing then return end
  self.refreshing = true
  WebSocket.after(0, function() refresh(self) end)
end

--- Prints a line, or several, above the prompt.
function Terminal:print(colour, text)
  table.insert(self.lines, (colour and self:paint(colour, text) or text) .. "\n")
  self:refresh()
end

--------------------------------------------------------------------------------------------------
-- Opening and closing

local function measure(terminal)
  local columns = tonumber((ask "stty size" or ""):match "%d+ (%d+)") or 0
  terminal.columns = columns > 0 and math.max(20, columns) or 80 -- 0 when it is not known
end

-- Makes the terminal pass on each key at once, and not echo it, since we draw the line.
local function take_over()
  os.execute "stty -icanon -echo -iexten min 1 time 0 2>/dev/null"
end

--- Returns a terminal. `options` has `colours`, which is whether to use colours; status(), which
--- returns a word, its colour, and the rest of the status line; on_line(text), which is called with
--- each line that was typed; and on_end(), which is called at the end of the input.
function Terminal.new(options)
  local terminal = setmetatable({
    colours = options.colours,
    status = options.status,
    lines = {}, -- the lines that have to be printed above the status line
  }, Terminal)
  terminal.editor = Editor.new {
    on_line = function(line)
      terminal:print("bold", PROMPT .. Terminal.harmless(line))
      options.on_line(line)
    end,
    on_end = options.on_end,
  }
  io.stdout:setvbuf("full", 64 * 1024) -- so that what is drawn together is written together
  terminal.saved = ask "stty -g"
  measure(terminal)
  take_over()
  terminal:refresh()
  return terminal
end

--- Takes bytes that were typed.
function Terminal:feed(bytes)
  self.editor:feed(bytes)
  self:refresh()
end

--- Has to be called after the window's size has changed.
function Terminal:resized()
  measure(self)
  self:refresh()
end

--- Has to be called when the process goes on after it was stopped (Ctrl-Z).
function Terminal:resumed()
  take_over()
  self.drawn = nil
  self:resized()
end

--- Restores the terminal.
function Terminal:close()
  if self.closed then return end
  self.closed = true
  io.stdout:write(erased(self), table.concat(self.lines))
  io.stdout:flush()
  if self.saved then os.execute("stty " .. self.saved .. " 2>/dev/null") end
end

return Terminal
