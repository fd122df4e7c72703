-- Servers of others in processes of their own, on free ports, with a folder of their own. Each ends with
-- this process at the latest.
--
--   local proxy = Daemon.start("microsocks", function(daemon)
--     return ("microsocks -i 127.0.0.1 -p %d"):format(daemon.port)
--   end)

local child = require "support.child"
local files = require "support.files"
local socket = require "socket"
local turn = require "support.turn"

local Daemon = {}
Daemon.__index = Daemon

local daemons = {} -- all that end_all has to end

-- Debian has daemons where only root looks for programs.
local PATH = "PATH=$PATH:/usr/sbin:/sbin"

--- Whether there is such a program.
function Daemon.has(program)
  return os.execute(("%s; command -v %s > /dev/null 2>&1"):format(PATH, program)) == true
end

--- Whether it runs as root, as some daemons want to be told.
function Daemon.as_root()
  return os.execute 'test "$(id -u)" = 0' == true
end

local function free_port()
  local one = socket.bind("127.0.0.1", 0)
  local _, port = one:getsockname()
  one:close()
  return math.tointeger(port)
end

-- True once it listens; false when it has ended, since its port was taken.
local function await(daemon)
  return turn.till(function()
    local probe = socket.connect("127.0.0.1", daemon.port)
    if probe then
      probe:close()
      return "listens"
    end
    if not os.execute(("kill -0 %d 2> /dev/null"):format(daemon.pid)) then return "ended" end
  end, daemon.name .. " to listen", 10) == "listens"
end

local function open(daemon, make_command)
  daemon.port = free_port()
  local pid_file = daemon.folder .. "/pid"
  os.remove(pid_file)
  -- Its parent waits for a line, or for the end of this process. No sanitizer is to look into it.
  daemon.input = assert(io.popen(("export LD_PRELOAD= %s; exec > %s/log 2>&1; %s & echo $! > %s; "
    .. "read line; kill $!; wait"):format(PATH, daemon.folder, make_command(daemon), pid_file), "w"))
  daemon.pid = turn.till(function()
    local file <close> = io.open(pid_file)
    return file and file:read "n"
  end, daemon.name .. " to start", 10)
  return await(daemon)
end

--- Starts a program; make_command(daemon) returns its command line for daemon.port, in the foreground,
--- and may write files to daemon.folder, which everybody may read.
function Daemon.start(name, make_command)
  local daemon = setmetatable({ name = name, folder = files.new_folder(name) }, Daemon)
  os.execute("chmod 755 " .. daemon.folder)
  daemons[#daemons + 1] = daemon
  for _ = 1, 5 do
    if open(daemon, make_command) then return daemon end
    daemon:stop()
  end
  error(("%s does not start: %s"):format(name, files.read(daemon.folder .. "/log")))
end

--- Writes a file into its folder, and returns the path.
function Daemon:write(name, text)
  local path = self.folder .. "/" .. name
  files.write(path, text)
  return child.quote(path)
end

--- Ends it; returns when it is gone.
function Daemon:stop()
  if not self.input then return end
  self.input:write "\n" -- its end would not do: processes started since then have it open, too
  self.input:close()
  self.input = nil
end

--- For teardown.
function Daemon.end_all()
  for _, daemon in ipairs(daemons) do
    daemon:stop()
    os.execute("rm -rf " .. daemon.folder)
  end
  daemons = {}
end

return Daemon
