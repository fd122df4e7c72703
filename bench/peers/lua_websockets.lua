-- lua-websockets, its synchronous client on LuaSocket. Written for Lua 5.1 and 5.2: what it misses
-- in 5.4 is put in place here.
package.path = package.path .. ";" .. arg[0]:gsub("[^/]*$", "?.lua", 1)
local driver = require "driver"
local socket = require "socket"

_G.unpack = _G.unpack or table.unpack
math.pow = math.pow or function(x, y) return x ^ y end -- luacheck: ignore

local function fold(combine)
  return function(...)
    local value = (...)
    for i = 2, select("#", ...) do value = combine(value, (select(i, ...))) end
    return value & 0xffffffff
  end
end

if not pcall(require, "bit") then
  package.preload.bit = function()
    return {
      band = fold(function(a, b) return a & b end),
      bor = fold(function(a, b) return a | b end),
      bxor = fold(function(a, b) return a ~ b end),
      bnot = function(a) return ~a & 0xffffffff end,
      lshift = function(a, n) return a << n & 0xffffffff end,
      rshift = function(a, n) return (a & 0xffffffff) >> n end,
      rol = function(a, n)
        a = a & 0xffffffff
        return (a << n | a >> (32 - n)) & 0xffffffff
      end,
    }
  end
end

local websocket = require "websocket.client"

local function dial()
  local ws = websocket.sync {}
  local ok, message = ws:connect(driver.url)
  if not ok then driver.fail(message) end
  ws.sock:setoption("tcp-nodelay", true) -- as the other clients do themselves
  return ws
end

local modes = {}

function modes.rx(count)
  local ws = dial()
  driver.clock(socket.gettime)
  assert(ws:send "go")
  for _ = 1, count do driver.check(assert(ws:receive())) end
end

function modes.tx(count)
  local ws, texts = dial(), driver.texts()
  driver.clock(socket.gettime)
  for i = 1, count do assert(ws:send(texts[i % #texts + 1])) end
  driver.expect_end(assert(ws:receive()))
end

function modes.rtt(count)
  local ws, text = dial(), ("x"):rep(driver.size)
  driver.clock(socket.gettime)
  for _ = 1, count do
    assert(ws:send(text))
    driver.check(assert(ws:receive()))
  end
end

-- It blocks, so one handshake at a time.
function modes.conn(count)
  modes.held = {}
  driver.clock(socket.gettime)
  for i = 1, count do modes.held[i] = dial() end
end

modes[driver.mode](driver.count)
driver.done()
