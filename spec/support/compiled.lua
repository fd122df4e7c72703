-- The C sources of this folder, compiled when a spec needs them.

local compiled = {}

-- Returns the folder that the file is in, for the caller to remove; or nil and why not.
local function compile(name, file, flags)
  local pipe <close> = assert(io.popen "mktemp -d /tmp/steadysocket-compiled.XXXXXX")
  local folder = pipe:read "l"
  local command = ("LD_PRELOAD= ${CC:-cc} -fPIC -O1 -g -o %s/%s spec/support/%s.c "
    .. "$(pkg-config --cflags $(tools/lua-pc)) %s > %s/log 2>&1")
    :format(folder, file, name, flags, folder)
  if os.execute(command) then return folder end
  os.execute("rm -rf " .. folder)
  return nil, ("spec/support/%s.c could not be compiled"):format(name)
end

--- NAME.c as NAME.so. flags: what the compiler gets besides.
function compiled.object(name, flags)
  return compile(name, name .. ".so", "-shared " .. (flags or ""))
end

--- NAME.c as the program NAME, which has Lua in it.
function compiled.program(name, flags)
  return compile(name, name, "$(pkg-config --libs $(tools/lua-pc)) " .. (flags or ""))
end

return compiled
