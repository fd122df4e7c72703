-- A port at which a connection neither comes about nor is refused: its backlog is full, and the
-- system drops what asks for more.

local socket = require "socket"

local silent = {}

local sockets = {} -- all that close_all has to close

local function new_socket(address)
  local one = assert(address:find ":" and socket.tcp6() or socket.tcp4())
  sockets[#sockets + 1] = one
  return one
end

-- Whether a connection comes about.
local function fill(address, port)
  local filler = new_socket(address)
  filler:settimeout(0)
  filler:connect(address, port)
  local _, writable = socket.select(nil, { filler }, 0.05)
  return writable[1] ~= nil
end

--- Returns the port, a free one unless one is given. The address is 127.0.0.1 by default.
function silent.listen(address, port)
  address = address or "127.0.0.1"
  local listener = new_socket(address)
  assert(listener:bind(address, port or 0))
  assert(listener:listen(0))
  port = math.tointeger(select(2, listener:getsockname()))
  while fill(address, port) do end
  return port
end

--- For after_each.
function silent.close_all()
  for _, one in ipairs(sockets) do one:close() end
  sockets = {}
end

return silent
