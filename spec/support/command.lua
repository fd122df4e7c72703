-- The command, bin/steadysocket, or another program in Lua, in a process of its own. Nothing here blocks:
-- servers in this thread have their turns meanwhile.
--
--   local command = Command.start({ "--quiet", url }, { input = "a line\n" })
--   local result = command:result()  -- { code, out, err }
--
-- Without input there is a pipe, which write() and close() are for.

local child = require "support.child"
local files = require "support.files"
local turn = require "support.turn"

local Command = {}
Command.__index = Command

local ROOT = debug.getinfo(1, "S").source:match "^@(.-)/?spec/support/command%.lua$"
local PROGRAM = (ROOT == "" and "." or ROOT) .. "/bin/steadysocket"
local LIMIT = 60 -- seconds

local commands = {} -- all that end_all has to end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

local function words_of(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = child.quote(tostring(word)) end
  return table.concat(quoted, " ")
end

local function open_input(command, input)
  local path = command:path "in"
  if input then
    files.write(path, input)
  else
    assert(os.execute("mkfifo " .. path))
  end
  return "< " .. path
end

-- A copy of a program in which literal texts are exchanged: { old, new, ... }.
local function changed_copy(command, program, change)
  local code = files.read(program)
  for i = 1, #change, 2 do
    local from, to = code:find(change[i], 1, true)
    assert(from, change[i] .. " is not in " .. program)
    code = code:sub(1, from - 1) .. change[i + 1] .. code:sub(to + 1)
  end
  local path = command:path "changed.lua"
  files.write(path, code)
  return path
end

--- options: input, a text, that becomes a file; from, a shell command whose output is the input; to,
--- one that gets the output; environment, assignments; terminal = true: in one of 80 columns; program,
--- the path of another one; change, { old, new, ... }: runs a copy in which these literal texts are
--- exchanged.
function Command.start(words, options)
  options = options or {}
  local command = setmetatable({ folder = files.new_folder "command" }, Command)
  commands[#commands + 1] = command

  local program = options.program or PROGRAM
  if options.change then program = changed_copy(command, program, options.change) end
  local run = ("echo $$ > %s; %s LUA_PATH=%s LUA_CPATH=%s exec %s %s %s"):format(
    command:path "pid", options.environment or "", child.quote(package.path),
    child.quote(package.cpath), child.interpreter(), program, words_of(words))
  if options.terminal then
    -- A sanitizer would look for leaks in script, too.
    local preload = child.quote(os.getenv "LD_PRELOAD" or "")
    run = ("LD_PRELOAD= exec script -qec %s /dev/null"):format(
      child.quote(("stty cols 80; export LD_PRELOAD=%s; %s"):format(preload, run)))
  end
  local from = options.from and options.from .. " |" or ""
  local input = options.from and "" or open_input(command, options.input)
  local to = options.to and "| " .. options.to or ""
  -- The exit code is the command's own, also before a pipe.
  os.execute(("%s { sh -c %s %s 2> %s; echo $? > %s; } %s > %s &"):format(from,
    child.quote(run), input, command:path "err", command:path "code", to, command:path "out"))
  if not options.from and not options.input then
    command.pipe = assert(io.open(command:path "in", "wb"))
  end
  return command
end

function Command:path(name)
  return self.folder .. "/" .. name
end

--- Writes to its standard input; the text must fit into a pipe.
function Command:write(text)
  self.pipe:write(text)
  self.pipe:flush()
end

--- Ends its standard input.
function Command:close()
  self.pipe:close()
  self.pipe = nil
end

--- What it has written so far, on "out" or "err".
function Command:shown(stream)
  return read(self:path(stream))
end

--- Turns until it has written something that a pattern fits to, and returns the captures.
function Command:shows(stream, pattern)
  return table.unpack(turn.till(function()
    local captures = { self:shown(stream):match(pattern) }
    return captures[1] and captures
  end, ("%q on %s"):format(pattern, stream), LIMIT))
end

function Command:pid()
  return turn.till(function()
    return tonumber(read(self:path "pid"))
  end, "the command to start", LIMIT)
end

function Command:signal(name)
  os.execute(("kill -%s %d"):format(name, self:pid()))
end

--- Turns until it has ended: { code, out, err }.
function Command:result(limit)
  local code = turn.till(function()
    return tonumber(read(self:path "code"))
  end, "the command to end", limit or LIMIT)
  return { code = code, out = self:shown "out", err = self:shown "err" }
end

--- For after_each.
function Command.end_all()
  for _, command in ipairs(commands) do
    if command.pipe then command:close() end
    if read(command:path "code") == "" then command:signal "KILL" end
    command:result()
    os.execute("rm -rf " .. command.folder)
  end
  commands = {}
end

return Command
