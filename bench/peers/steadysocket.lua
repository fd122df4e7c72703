-- The module as a script gets it with the default options: on_message for what comes, send until
-- the queue refuses.
package.path = package.path .. ";" .. arg[0]:gsub("[^/]*$", "?.lua", 1)
local driver = require "driver"
local WebSocket = require "steadysocket"
local now = require("socket").gettime

local size, count = driver.size, driver.count

local function client(url, on_open, on_message, on_close)
  local ws = WebSocket.new {
    url = url,
    reconnect = false,
    tls = { ca_file = driver.ca },
    compression = driver.deflate,
    confirm = driver.confirm,
    proxy = driver.proxy,
    on_error = function(event) driver.fail(event.message) end,
    on_open = on_open,
    on_message = on_message,
    on_close = on_close,
  }
  assert(ws:connect())
  return ws
end

local function ignore() end

-- Opens n connections, so many handshakes at a time; returns when the last one is open.
local function open(n, url, on_message)
  local clients, opened = {}, 0
  local function dial()
    if #clients == n then return end
    clients[#clients + 1] = client(url, function()
      opened = opened + 1
      if opened == n then WebSocket.stop() end
      dial()
    end, on_message)
  end
  for _ = 1, driver.HANDSHAKES do dial() end
  if n > 0 then WebSocket.run() end
  return clients
end

local modes = {}

function modes.rx()
  local received = 0
  local ws = open(1, driver.url, function(data)
    if #data ~= size then driver.check(data) end
    received = received + 1
    if received == count then driver.done() end
  end)[1]
  driver.clock(now)
  ws:send "go"
end

function modes.tx()
  local texts, sent = driver.texts(), 0
  local ws = open(1, driver.url, function(data)
    driver.expect_end(data)
    driver.done()
  end)[1]
  driver.clock(now)
  while sent < count do
    if ws:send(texts[sent % #texts + 1]) then
      sent = sent + 1
    else
      WebSocket.step()
    end
  end
end

function modes.rtt()
  local received, text, ws = 0, ("x"):rep(size), nil
  ws = open(1, driver.url, function(data)
    if #data ~= size then driver.check(data) end
    received = received + 1
    if received == count then driver.done() end
    ws:send(text)
  end)[1]
  driver.clock(now)
  ws:send(text)
end

function modes.conn()
  driver.clock(now)
  modes.held = open(count, driver.url, ignore)
  driver.done()
end

function modes.open()
  local urls, held, seconds, began = { driver.warm_url }, {}, {}, nil
  for _ = 1, count do urls[#urls + 1] = driver.url end
  local function dial()
    if #held == #urls then driver.opened(table.move(seconds, 2, #seconds, 1, {})) end
    began = now()
    held[#held + 1] = client(urls[#held + 1], function(_, ws)
      seconds[#seconds + 1] = now() - began
      ws:close()
    end, ignore, dial)
  end
  dial()
end

function modes.busy()
  local sent, received, text = 0, 0, ("x"):rep(size)
  local function send(ws)
    if sent == count then return end
    sent = sent + 1
    ws:send(text)
  end
  modes.held = open(driver.idle, driver.hold_url, ignore)
  local clients = open(driver.BUSY, driver.url, function(data, _, ws)
    if #data ~= size then driver.check(data) end
    received = received + 1
    if received == count then driver.done() end
    send(ws)
  end)
  driver.clock(now)
  for _, ws in ipairs(clients) do send(ws) end
end

modes[driver.mode]()
WebSocket.run()
driver.fail "the connection has ended"
