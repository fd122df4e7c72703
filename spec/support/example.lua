-- A program of examples/ in a process of its own, handled as command.lua handles the command.
--
--   local example = Example.start("chat", { url })
--   example:shows("out", "(a pattern)")
--   local result = example:result()  -- { code, out, err }

local Command = require "support.command"
local child = require "support.child"

local Example = setmetatable({}, { __index = Command })
Example.__index = Example

local FOLDER = debug.getinfo(1, "S").source:match "^@(.-)spec/support/example%.lua$" .. "examples/"

local examples = {} -- all that end_all has to end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- How it is called: the words for the shell.
local function call(example, path, arguments)
  local words = {
    ("echo $$ > %s; exec"):format(example:path "pid"),
    "env LUA_PATH=" .. child.quote(package.path),
    "LUA_CPATH=" .. child.quote(package.cpath),
    child.interpreter(),
    path,
  }
  for _, argument in ipairs(arguments) do words[#words + 1] = child.quote(tostring(argument)) end
  return table.concat(words, " ")
end

-- A terminal around it. A sanitizer would look for leaks in script, too.
local function in_terminal(run)
  local preload = child.quote(os.getenv "LD_PRELOAD" or "")
  local inside = ("export LD_PRELOAD=%s; %s"):format(preload, run)
  return ("LD_PRELOAD= exec script -qec %s /dev/null"):format(child.quote(inside))
end

--- options: input, a text that becomes a file; terminal = true; change, { old, new, ... }: runs a
--- copy in which these literal texts are exchanged. Without input there is a pipe, which write()
--- and close() are for.
function Example.start(name, arguments, options)
  options = options or {}
  local pipe <close> = assert(io.popen "mktemp -d /tmp/steadysocket-example.XXXXXX")
  local example = setmetatable({ folder = pipe:read "l" }, Example)
  examples[#examples + 1] = example

  local path = FOLDER .. name .. ".lua"
  if options.change then
    local code = read(path)
    for i = 1, #options.change, 2 do
      local from, to = code:find(options.change[i], 1, true)
      assert(from, options.change[i] .. " is not in " .. path)
      code = code:sub(1, from - 1) .. options.change[i + 1] .. code:sub(to + 1)
    end
    path = example:path "changed.lua"
    write(path, code)
  end

  local run = call(example, path, arguments)
  if options.terminal then run = in_terminal(run) end
  local input = example:path "in"
  if options.input then
    write(input, options.input)
  else
    assert(os.execute("mkfifo " .. input))
  end
  os.execute(("{ sh -c %s < %s > %s 2> %s; echo $? > %s; } &"):format(child.quote(run), input,
    example:path "out", example:path "err", example:path "code"))
  if not options.input then example.pipe = assert(io.open(input, "w")) end
  return example
end

--- For after_each.
function Example.end_all()
  for _, example in ipairs(examples) do
    if example.pipe then example:close() end
    if example:shown "code" == "" then example:signal "KILL" end
    example:result()
    os.execute("rm -rf " .. example.folder)
  end
  examples = {}
end

return Example
