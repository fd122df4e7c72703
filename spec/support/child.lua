-- Lua programs in processes of their own, with the modules of this one.

local child = {}

local PATIENCE = tonumber(os.getenv "SPEC_PATIENCE") or 1
local LIMIT = 60 -- seconds

--- A word for the shell.
function child.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The interpreter that runs the specs, which is what is before all other words of its command line, or
--- the one that STEADY_INTERPRETER names, for programs only.
function child.interpreter()
  local other = os.getenv "STEADY_INTERPRETER"
  if other then return other end
  local words, first = _G.arg or {}, 0
  while words[first - 1] do first = first - 1 end
  return words[first] or "lua5.4"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function take(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  os.remove(path)
  return text
end

--- Whether a program is there to be run.
function child.has(program)
  return (os.execute(("command -v %s > /dev/null 2>&1"):format(program)))
end

--- Whether this process, and with it every child, runs with a sanitizer in it, which other tools of
--- its kind do not get along with.
function child.sanitized()
  return (os.getenv "LD_PRELOAD" or ""):find "asan" ~= nil
end

--- Whether what this process frees stays in memory for a while, with a sanitizer or under valgrind.
function child.keeps_what_is_freed()
  return child.sanitized() or (os.getenv "UNDER" or ""):find "valgrind" ~= nil
end

--- Runs Lua code, which gets the strings in `arguments` as its own, and returns { out, err, code };
--- a signal shows as code 128 + signal. options: under, the words of a command that is to run the
--- interpreter; interpreter, another one than that of the specs; environment, assignments in front of
--- it; patience, how many times as long as another child it may take.
function child.run(code, arguments, options)
  options = options or {}
  local script, out, err = os.tmpname(), os.tmpname(), os.tmpname()
  write(script, code)
  local words = {
    options.environment or "",
    "LUA_PATH=" .. child.quote(package.path),
    "LUA_CPATH=" .. child.quote(package.cpath),
    ("timeout %.0f"):format(LIMIT * (options.patience or 1) * PATIENCE),
    options.under or "",
    options.interpreter or child.interpreter(),
    script,
  }
  for _, argument in ipairs(arguments or {}) do
    words[#words + 1] = child.quote(argument)
  end
  local redirected = ("{ %s; } > %s 2> %s < /dev/null"):format(table.concat(words, " "), out, err)
  local _, _, status = os.execute(redirected)
  os.remove(script)
  return { out = take(out), err = take(err), code = status }
end

return child
