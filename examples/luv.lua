-- A relay in luv: programs of this machine connect to a TCP port and write lines; each line goes
-- into one WebSocket connection, which stays. Each message from there goes to all of them.
--
--   lua5.4 examples/luv.lua [URL [PORT]]     and then, for instance:     nc 127.0.0.1 7000
--
-- Ctrl-C ends it: what was read from them is sent first. Needs luv.

local WebSocket = require "steadysocket"
local uv = require "luv"

local url, port = arg[1] or "ws://localhost:8080/", tonumber(arg[2]) or 7000
local MAX_WAITING = 1024 * 1024 -- bytes

require("steadysocket.luv").attach()
io.stdout:setvbuf "line"

local programs = {} -- their connections, as keys

local ws = WebSocket.new {
  url = url,
  name = "relay",
  log = true,
  on_message = function(data)
    for program in pairs(programs) do program:write(data .. "\n") end
  end,
}
ws:connect()

local function leave(program)
  programs[program] = nil
  if not program:is_closing() then program:close() end
end

local function welcome(program)
  local rest = ""
  local function take(err, chunk)
    if err or not chunk then return leave(program) end
    local text, from = rest .. chunk, 1
    for newline in text:gmatch "()\n" do
      local ok, message = ws:send(text:sub(from, newline - 1))
      if not ok then program:write("not sent: " .. message .. "\n") end
      from = newline + 1
    end
    rest = text:sub(from)
    -- Read no faster than the server takes it, and nothing while it is down.
    if ws.buffered_amount > MAX_WAITING then
      program:read_stop()
      WebSocket.spawn(function()
        if ws:flush() and not program:is_closing() then program:read_start(take) end
      end)
    end
  end
  programs[program] = true
  program:read_start(take)
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", port))
assert(server:listen(128, function(err)
  assert(not err, err)
  local program = uv.new_tcp()
  server:accept(program)
  welcome(program)
end))
print("listening on port " .. server:getsockname().port)

local interrupt = uv.new_signal()
interrupt:start("sigint", function()
  interrupt:close() -- so that a second one ends it at once
  server:close()
  for program in pairs(programs) do leave(program) end
  ws:close()
end)

uv.run()
