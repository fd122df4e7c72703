-- A Redis server in a process of its own, on a free port and in a folder of its own, which keeps
-- nothing on disk unless it is told to SAVE. It ends with this process at the latest.
--
--   local server = Redis.start()
--   server.client:xadd("stream", "*", "field", "value")

local child = require "support.child"
local files = require "support.files"
local socket = require "socket"
local turn = require "support.turn"

local there, redis = pcall(require, "redis")

local Redis = {}
Redis.__index = Redis

local servers = {} -- all that end_all has to end

--- What is missing to run it, or nil.
function Redis.lacking()
  if not there then return "lua-redis" end
  if not child.has "redis-server" and not child.has "redis-check-rdb" then return "redis-server" end
end

if there then
  local streams = { "xadd", "xlen", "xrange", "xrevrange", "xgroup", "xreadgroup", "xack", "xpending" }
  for _, name in ipairs(streams) do redis.commands[name] = redis.command(name:upper()) end
end

local function free_port()
  local one = assert(socket.bind("127.0.0.1", 0))
  local _, port = one:getsockname()
  one:close()
  return math.tointeger(port)
end

-- Debian's redis-tools has the server's program as redis-check-rdb, which does what it is called.
local function program(folder)
  if child.has "redis-server" then return "redis-server" end
  local link = folder .. "/redis-server"
  os.execute(("ln -sf $(command -v redis-check-rdb) %s"):format(link))
  return link
end

-- A client once the server answers; nil when it has ended, since its port was taken.
local function await(server)
  local deadline = socket.gettime() + 10
  repeat
    local ok, client = pcall(redis.connect, { port = server.port, timeout = 5 })
    if ok and pcall(client.ping, client) then return client end
    turn.once()
    if not os.execute(("kill -0 %d 2> /dev/null"):format(server.pid)) then return nil end
  until socket.gettime() > deadline
  error "redis-server does not answer"
end

--- Starts it, once more after stop(): then on the same port, with what it was told to SAVE.
function Redis:open()
  local announcement = self.folder .. "/pid"
  os.remove(announcement)
  local options = ("--bind 127.0.0.1 --port %d --dir %s --save '' --appendonly no"):format(
    self.port, self.folder)
  -- Its parent waits for a line, or for the end of this process. No sanitizer is to look into it.
  self.input = assert(io.popen(("export LD_PRELOAD=; %s %s > %s/log 2>&1 & "
    .. "echo $! > %s; read line; kill -CONT $!; kill $!; wait"):format(
    program(self.folder), options, self.folder, announcement), "w"))
  self.pid = turn.till(function()
    local file <close> = io.open(announcement)
    return file and file:read "n"
  end, "redis-server to start", 10)
  self.client = await(self)
  if not self.client then self:stop() end
  return self.client
end

--- Ends it; returns when it is gone.
function Redis:stop()
  if not self.input then return end
  self.input:write "\n" -- its end would not do: processes started since then have it open, too
  self.input:close()
  self.input, self.client = nil, nil
end

--- It hangs; its connections stay.
function Redis:freeze()
  os.execute(("kill -STOP %d"):format(self.pid))
end

function Redis:thaw()
  os.execute(("kill -CONT %d"):format(self.pid))
end

function Redis:url()
  return ("redis://127.0.0.1:%d"):format(self.port)
end

--- A server that is not open yet, but has a port.
function Redis.new()
  local server = setmetatable({ folder = files.new_folder "redis", port = free_port() }, Redis)
  servers[#servers + 1] = server
  return server
end

function Redis.start()
  local server = Redis.new()
  while not server:open() do server.port = free_port() end
  return server
end

--- For after_each.
function Redis.end_all()
  for _, server in ipairs(servers) do
    server:stop()
    os.execute("rm -rf " .. server.folder)
  end
  servers = {}
end

return Redis
