-- steadysocket, run through the cases in this process.

local WebSocket = require "steadysocket"
local turn = require "support.turn"

local client = {}

local AT_ONCE = 24 -- connections
local LIMIT = 60 -- seconds for a handshake that only load can hold up

-- As the case has it, and for messages of any size.
local function compression(parameters)
  if not parameters then return false end
  local options = { threshold = 0 }
  for name, value in pairs(parameters) do options[name] = value end
  return options
end

-- How the client was told to be, and what it tells at its end: { opened, messages = { { kind, data },
-- ... }, close = { code, reason }, error }.
local function start(case, url, done)
  local told = { opened = false, messages = {} }
  local ws = WebSocket.new {
    url = url,
    reconnect = false,
    heartbeat = false,
    protocols = case.protocols,
    compression = compression(case.compression),
    connect_timeout = case.timeout or LIMIT,
  }
  ws.on_open = function() told.opened = true end
  ws.on_message = function(data, kind)
    table.insert(told.messages, { kind, data })
    if case.echo then ws:send(data, kind) end
    if case.closes then ws:close(table.unpack(case.closes)) end
  end
  ws.on_close = function(event) told.close = { event.code, event.reason } end
  ws.on_error = function(event) told.error = event.message end
  ws.on_status = function(status)
    if status == "closed" then done(told) end
  end
  assert(ws:connect())
end

--- Plays the cases with the server; returns case -> what the client has told.
function client.run(server)
  local told, begun, over = {}, 0, 0
  local function next_one()
    begun = begun + 1
    local case = server.cases[begun]
    if not case then return end
    start(case, ("ws://127.0.0.1:%d/%d"):format(server.port, begun), function(what)
      told[case] = what
      over = over + 1
      next_one()
    end)
  end
  for _ = 1, AT_ONCE do next_one() end
  turn.till(function()
    if over < #server.cases then return false end
    for _, case in ipairs(server.cases) do
      local record = server.records[case]
      if not record or not record.over then return false end
    end
    return true
  end, "the last case", 120)
  return told
end

return client
