-- Clients that write down what happens to them.
--
--   local client = watched.new { url = server.url }     -- not connected yet
--   local client = watched.connect { url = server.url } -- on its way
--
-- client.ws is the client itself; opens, messages, closes and errors are what its handlers got,
-- story is all of it in order: "on_open", "on_message", "on_close", "on_error", and each status by
-- its name. Delays are short and the same each time.

local Peer = require "support.peer"
local turn = require "support.turn"
local WebSocket = require "steadysocket"

local watched = { delay = 0.02 } -- seconds from a failure to the next attempt
local Client = {}
Client.__index = Client

local clients = {} -- all that end_all has to end

local LISTS = { on_open = "opens", on_close = "closes", on_error = "errors" }

local function write_down(client, handlers)
  local story = client.story
  for name, list in pairs(LISTS) do
    client.ws[name] = function(event, ws)
      story[#story + 1] = name
      table.insert(client[list], event)
      if handlers[name] then handlers[name](event, ws) end
    end
  end
  client.ws.on_message = function(data, kind, ws)
    story[#story + 1] = "on_message"
    table.insert(client.messages, { data = data, kind = kind })
    if handlers.on_message then handlers.on_message(data, kind, ws) end
  end
  client.ws.on_status = function(status)
    story[#story + 1] = status
  end
end

function watched.new(options)
  local plain, handlers = {}, {}
  for name, value in pairs(options) do
    local kind = name:find "^on_" and handlers or plain
    kind[name] = value
  end
  if plain.reconnect == nil then
    local delay = watched.delay
    plain.reconnect = { min_delay = delay, max_delay = delay, jitter = 0 }
  end
  local client = setmetatable({
    ws = WebSocket.new(plain),
    opens = {},
    messages = {},
    closes = {},
    errors = {},
    story = {},
  }, Client)
  write_down(client, handlers)
  clients[#clients + 1] = client
  return client
end

function watched.connect(options, ...)
  local client = watched.new(options)
  assert(client.ws:connect(...))
  return client
end

--- A client and the connection it has to a server of ours, which may be given. Without a name it is
--- called "prices".
function watched.meet(options, server)
  options = options or {}
  server = server or Peer.listen()
  options.url, options.name = server.url, options.name or "prices"
  local client = watched.connect(options)
  local conn = server:welcome()
  client:await "opens"
  return client, conn, server
end

--- The entry at `position` of a list such as "errors", once it is there.
function Client:await(list, position, limit)
  position = position or 1
  return turn.till(function()
    return self[list][position]
  end, ("number %d of %s"):format(position, list), limit)
end

--- The status, and that on_status was told so last.
function Client:await_status(status, limit)
  turn.till(function()
    return self.ws.status == status and self.story[#self.story] == status
  end, "the status " .. status, limit)
end

--- Turns until no more leaves it, so that what it has to say is stuck.
function Client:await_stuck()
  local last = turn.till_still(function() return self.ws.buffered_amount end,
    "the client to be stuck")
  assert(last > 0, "the system took all of it")
end

--- What was received, without the kinds.
function Client:data()
  local list = {}
  for i, message in ipairs(self.messages) do list[i] = message.data end
  return list
end

--- The story as one string: all of it, or up to where it waits for the `waits`-th time. On a busy machine the
--- delay may be over, and the next attempt have begun, before anybody looks.
function Client:told(waits)
  local words = {}
  for i, word in ipairs(self.story) do
    words[i] = word
    if waits and word == "waiting" then waits = waits - 1 end
    if waits == 0 then break end
  end
  return table.concat(words, " ")
end

--- Ends every peer and client, and sees to it that nothing is left on the loop: for after_each.
function watched.end_all()
  Peer.close_all()
  for _, client in ipairs(clients) do client.ws:close() end
  for _, client in ipairs(clients) do client:await_status "closed" end
  clients = {}
  turn.till(function()
    return not WebSocket.step(0)
  end, "the loop to be empty")
end

return watched
