-- A real peer: Python's `websockets` in a process of its own (server.py).
--
-- Paths: /echo; /count?n=&size=, which sends n messages; /protocols?select=, which takes the
-- subprotocol named, else the first, and says which; /headers, which says the request's headers as
-- JSON; /connections, which says how many there were; /reset, which breaks off after the first message;
-- /close?code=&reason=; /prices?every=, which takes the last word of each message for a symbol
-- and sends a price of each, every so many seconds; /token, no WebSocket, which gives a token to
-- user:secret (Basic), and /private, which lets in who has one (Bearer), says which, and echoes;
-- /moved?to=, which redirects there.
-- With ?file= any of them appends each message to that file, a line each, as soon as it is read.

local turn = require "support.turn"

local Server = {}
Server.__index = Server

local running = {} -- all that stop_all has to stop

local PYTHON = "/usr/bin/python3" -- Debian's, which has python3-websockets; another may be in PATH
local SCRIPT = debug.getinfo(1, "S").source:match "^@(.*)%.lua$" .. ".py"

local function option(name, value)
  return value and (" --%s '%s'"):format(name, value) or ""
end

local function command_line(options, announcement)
  local tls = options.tls or {}
  return table.concat {
    "exec ", PYTHON, " '", SCRIPT, "' ", announcement,
    option("address", options.address),
    option("port", options.port),
    option("cert", tls.cert),
    option("key", tls.key),
    option("client-ca", tls.client_ca),
    options.deflate and " --deflate" or "",
  }
end

-- The port and the process id, once the server has written them.
local function read_announcement(path)
  local file <close> = assert(io.open(path))
  return file:read("n", "n")
end

--- options: tls = { cert, key, client_ca }, address, port, deflate (permessage-deflate).
function Server.start(options)
  options = options or {}
  local announcement = os.tmpname()
  local server = setmetatable({ options = options }, Server)
  server.input = assert(io.popen(command_line(options, announcement), "w"))
  running[server] = true
  turn.till(function()
    server.port, server.pid = read_announcement(announcement)
    return server.pid
  end, "server.py to start", 10)
  os.remove(announcement)
  return server
end

--- The URL of a path, by name or address ("127.0.0.1" by default).
function Server:url(path, host)
  host = host or self.options.address or "127.0.0.1"
  if host:find ":" then host = "[" .. host .. "]" end
  local scheme = self.options.tls and "wss" or "ws"
  return ("%s://%s:%d%s"):format(scheme, host, self.port, path or "/echo")
end

--- "drop": ends all TCP connections without a close frame; "close 1001 reason": with one; "stop"
--- and "start": listening; "expire": no token made so far is good any more. Returns at once: wait for
--- what it brings about.
function Server:command(line)
  assert(self.input:write(line, "\n"))
  self.input:flush()
end

local function signal(server, name)
  os.execute(("kill -%s %d"):format(name, server.pid))
end

--- The process hangs, its connections stay: a peer that fell silent.
function Server:freeze()
  signal(self, "STOP")
end

function Server:thaw()
  signal(self, "CONT")
end

--- The process dies at once, and with it what its kernel took and it never read.
function Server:kill()
  running[self] = nil
  signal(self, "KILL")
  self.input:close()
end

--- Ends the process, and with it its connections without a close frame; returns when it is gone.
function Server:stop()
  if not running[self] then return end
  running[self] = nil
  if self.pid then self:thaw() end
  self.input:close() -- which is how it is told, and waits for its end
end

--- For teardown.
function Server.stop_all()
  for server in pairs(running) do server:stop() end
end

return Server
