-- The server of the benchmarks, which takes thousands of connections, in a process of its own. It ends
-- by itself after a while, should nobody stop it.
--
--   local server = BenchServer.start { program = built "bench/server" }
--   local url = "ws://127.0.0.1:" .. server.port .. "/echo"

local files = require "support.files"
local socket = require "socket"

local BenchServer = {}
BenchServer.__index = BenchServer

local LIFE = 100 -- seconds

local function numbers_of(path)
  local numbers = {}
  for number in files.read(path):gmatch "%d+" do
    numbers[#numbers + 1] = math.tointeger(number)
  end
  return numbers
end

--- Returns the server once it listens: port, and tls_port where there is a file to write the
--- certificate to, tls.
function BenchServer.start(options)
  local name = os.tmpname()
  local program = options.program .. (options.tls and " --tls " .. options.tls or "")
  os.execute(("timeout %d %s > %s & echo $! > %s.pid"):format(LIFE, program, name, name))
  local ports
  repeat
    socket.sleep(0.01)
    ports = numbers_of(name)
  until #ports == 2 -- the second one is 0 without TLS
  local server = { port = ports[1], tls_port = ports[2], pid = numbers_of(name .. ".pid")[1] }
  os.remove(name)
  os.remove(name .. ".pid")
  return setmetatable(server, BenchServer)
end

--- Has it end, and all its connections with it.
function BenchServer:stop()
  os.execute("kill " .. self.pid)
end

return BenchServer
