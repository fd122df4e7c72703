-- A proxy of support.proxy in a process of its own, for clients in processes of their own. It ends
-- with its standard input, so it never outlives the specs.

local child = require "support.child"
local files = require "support.files"
local turn = require "support.turn"

local ProxyProcess = {}
ProxyProcess.__index = ProxyProcess

local running = {} -- all that stop_all has to stop

local SCRIPT = [[
local socket = require "socket"
local turn = require "support.turn"

local announcement, module, options = ...
local proxy = require(module).listen(load("return " .. options)())
local file = assert(io.open(announcement .. ".new", "w"))
file:write(proxy.port)
file:close()
os.rename(announcement .. ".new", announcement)

local input = { getfd = function() return 0 end } -- select takes this for a socket
repeat turn.once() until socket.select({ input }, nil, 0)[input]
]]

local function number_in(path)
  local file <close> = assert(io.open(path))
  return file:read "n"
end

local function as_lua(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local fields = {}
  for key, field in pairs(value) do fields[#fields + 1] = ("[%q] = %s"):format(key, as_lua(field)) end
  return "{ " .. table.concat(fields, ", ") .. " }"
end

--- options: as for Proxy.listen, or as for Socks.listen where module is "support.socks"; an `answer`
--- makes the proxy a server that answers every request with it.
function ProxyProcess.start(options, module)
  local process = setmetatable({}, ProxyProcess)
  local announcement = os.tmpname()
  process.script = os.tmpname()
  files.write(process.script, SCRIPT)
  process.input = assert(io.popen(table.concat({
    "LUA_PATH=" .. child.quote(package.path),
    "LUA_CPATH=" .. child.quote(package.cpath),
    "exec",
    child.interpreter(),
    process.script,
    announcement,
    module or "support.proxy",
    child.quote(as_lua(options or {})),
  }, " "), "w"))
  running[process] = true
  turn.till(function()
    process.port = number_in(announcement)
    return process.port
  end, "the proxy to start", 10)
  os.remove(announcement)
  return process
end

--- Ends the process; returns when it is gone.
function ProxyProcess:stop()
  running[self] = nil
  self.input:close()
  os.remove(self.script)
end

--- For teardown.
function ProxyProcess.stop_all()
  for process in pairs(running) do process:stop() end
end

return ProxyProcess
