--- The line that is being typed: its characters, a cursor, and a history of earlier lines. It reads
-- the bytes of a terminal whose own editing is off, and draws nothing.

require "steadysocket.loader"

local Editor = {}
Editor.__index = Editor

--- Returns an editor. `handlers` has on_line(text), which is called with each line that is
--- complete, and on_end(), which is called for Ctrl-D on an empty line.
function Editor.new(handlers)
  return setmetatable({
    chars = {}, -- one UTF-8 character each
    cursor = 0, -- how many characters are in front of it
    history = {},
    place = 1, -- index in the history; one behind its end is the new line
    rest = "", -- the first bytes of a character or key that is not complete
    handlers = handlers,
  }, Editor)
end

function Editor:text()
  return table.concat(self.chars)
end

local function set_text(editor, text)
  local chars = {}
  for char in text:gmatch("[\0-\x7F\xC2-\xFD][\x80-\xBF]*") do chars[#chars + 1] = char end
  editor.chars, editor.cursor = chars, #chars
end

local function insert(editor, char)
  editor.cursor = editor.cursor + 1
  table.insert(editor.chars, editor.cursor, char)
end

local function delete(editor, from, to)
  for _ = from, to do table.remove(editor.chars, from) end
  editor.cursor = math.min(editor.cursor, from - 1)
end

local function go(editor, cursor)
  editor.cursor = math.max(0, math.min(#editor.chars, cursor))
end

local function start_of_word(editor)
  local at = editor.cursor
  while at > 0 and editor.chars[at] == " " do at = at - 1 end
  while at > 0 and editor.chars[at] ~= " " do at = at - 1 end
  return at + 1
end

local function recall(editor, place)
  if place < 1 or place > #editor.history + 1 then return end
  if editor.place > #editor.history then editor.draft = editor:text() end
  editor.place = place
  set_text(editor, editor.history[place] or editor.draft)
end

local function submit(editor)
  local line = editor:text()
  set_text(editor, "")
  if line ~= "" and line ~= editor.history[#editor.history] then
    table.insert(editor.history, line)
  end
  editor.place = #editor.history + 1
  editor.handlers.on_line(line)
end

local function delete_ahead(editor)
  if editor.cursor < #editor.chars then
    table.remove(editor.chars, editor.cursor + 1)
  end
end

local function left(editor) go(editor, editor.cursor - 1) end
local function right(editor) go(editor, editor.cursor + 1) end
local function home(editor) go(editor, 0) end
local function to_end(editor) go(editor, #editor.chars) end
local function up(editor) recall(editor, editor.place - 1) end
local function down(editor) recall(editor, editor.place + 1) end

local function backspace(editor)
  if editor.cursor > 0 then delete(editor, editor.cursor, editor.cursor) end
end

local function end_of_input(editor)
  if #editor.chars > 0 then return delete_ahead(editor) end
  editor.handlers.on_end()
end

local CONTROLS = {
  ["\n"] = submit,
  ["\r"] = submit,
  ["\x7F"] = backspace,
  ["\b"] = backspace,
  ["\x01"] = home,
  ["\x02"] = left,
  ["\x04"] = end_of_input,
  ["\x05"] = to_end,
  ["\x06"] = right,
  ["\x0B"] = function(editor) delete(editor, editor.cursor + 1, #editor.chars) end,
  ["\x0E"] = down,
  ["\x10"] = up,
  ["\x15"] = function(editor) delete(editor, 1, editor.cursor) end,
  ["\x17"] = function(editor) delete(editor, start_of_word(editor), editor.cursor) end,
  ["\t"] = function(editor) insert(editor, "\t") end,
}

-- The actions of keys. The index is the last byte of the sequence that a key sends, or the number
-- in front of a tilde.
local KEYS = {
  A = up, B = down, C = right, D = left, H = home, F = to_end,
  ["1"] = home, ["7"] = home, ["4"] = to_end, ["8"] = to_end, ["3"] = delete_ahead,
}

-- Reads the sequence of a key that begins with the escape at `at`. Returns the key's action, or nil
-- when it has none, and the place behind the sequence, or nil when the sequence is not complete.
local function key(bytes, at)
  local numbers, letter, last = bytes:match("^[%[O]([%d;]*)([%a~])()", at + 1)
  if letter then return KEYS[letter == "~" and numbers or letter], last end
  if bytes:find("^[%[O]?[%d;]*$", at + 1) then return nil, nil end
  return nil, at + 2 -- this is Alt and a character
end

local function char_size(byte)
  return byte < 0xC0 and 1 or byte < 0xE0 and 2 or byte < 0xF0 and 3 or 4
end

-- Takes the character or key at `at`. Returns where the next one begins, or nil when this one is
-- not complete.
local function take(editor, bytes, at)
  local byte = bytes:byte(at)
  if byte == 27 then
    local act, behind = key(bytes, at)
    if act then act(editor) end
    return behind
  end
  local behind = at + char_size(byte)
  if behind > #bytes + 1 then return nil end
  local char = bytes:sub(at, behind - 1)
  if CONTROLS[char] then
    CONTROLS[char](editor)
  elseif byte >= 32 then
    insert(editor, char)
  end
  return behind
end

--- Takes bytes that the terminal has sent.
function Editor:feed(bytes)
  bytes = self.rest .. bytes
  local at = 1
  while at <= #bytes do
    local behind = take(self, bytes, at)
    if not behind then break end
    at = behind
  end
  self.rest = bytes:sub(at)
end

return Editor
