-- `openssl s_server`, which can do with a TLS session what LuaSec cannot: ask for a renegotiation. It
-- sends the lines it is given, and writes down what it gets.

local socket = require "socket"
local turn = require "support.turn"

local OpensslServer = {}
OpensslServer.__index = OpensslServer

local running = {} -- all that stop_all has to stop

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local port = math.tointeger(select(2, listener:getsockname()))
  listener:close()
  return port
end

--- pair: { cert, key }; options: more words of s_server's command line.
function OpensslServer.start(pair, options)
  local server = setmetatable({ port = free_port(), log = os.tmpname() }, OpensslServer)
  server.input = assert(io.popen(("{ echo $$; exec openssl s_server -accept 127.0.0.1:%d -cert %s "
    .. "-key %s %s; } > %s 2>&1"):format(server.port, pair.cert, pair.key, options or "", server.log), "w"))
  running[server] = true
  server.pid = server:await "^(%d+)\n" -- which stop_all needs, whatever comes of the rest
  server:await "ACCEPT"
  return server
end

--- All it has written so far.
function OpensslServer:output()
  local file <close> = assert(io.open(self.log, "rb"))
  return file:read "a"
end

--- Turns until its output has this pattern, and returns what it captures.
function OpensslServer:await(pattern)
  return turn.till(function() return self:output():match(pattern) end, "s_server to say " .. pattern)
end

--- Bytes for the client; a line that begins with r (or R, with a certificate) asks for a renegotiation.
function OpensslServer:send(bytes)
  assert(self.input:write(bytes))
  self.input:flush()
end

--- For after_each.
function OpensslServer.stop_all()
  for server in pairs(running) do
    os.execute("kill " .. server.pid) -- while it waits for a connection it does not read its input
    server.input:close()
    os.remove(server.log)
    running[server] = nil
  end
end

return OpensslServer
