-- Shims for child processes: C files of this folder that stand before the system's functions.

local FOLDER = debug.getinfo(1, "S").source:match "^@(.*)/"

local made = {} -- paths by name; false: there is no way to make it

local function make(name)
  local path = os.tmpname()
  local command = "LD_PRELOAD= ${CC:-cc} -shared -fPIC -o %s %s/%s.c -ldl 2> /dev/null"
  if os.execute(command:format(path, FOLDER, name)) then return path end
  os.remove(path)
  return false
end

local preload = {}

--- The assignment for child.run's environment that has the child load it, beside a sanitizer where
--- there is one; nil when it cannot be made here.
function preload.environment(name)
  if made[name] == nil then made[name] = make(name) end
  if not made[name] then return nil end
  return "LD_PRELOAD=" .. ((os.getenv "LD_PRELOAD" or "") .. ":" .. made[name]):gsub("^:", "")
end

--- For teardown.
function preload.remove_all()
  for name, path in pairs(made) do
    if path then os.remove(path) end
    made[name] = nil
  end
end

return preload
