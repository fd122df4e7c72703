-- lua-http on cqueues, in coroutines of one controller.
package.path = package.path .. ";" .. arg[0]:gsub("[^/]*$", "?.lua", 1)
local driver = require "driver"
local cqueues = require "cqueues"
local websocket = require "http.websocket"

local cq = cqueues.new()
local count = driver.count

local function tls_context()
  local context = require("http.tls").new_client_context()
  local store = require("openssl.x509.store").new()
  store:add(driver.ca)
  context:setStore(store)
  return context
end

local function dial(url)
  local ws = websocket.new_from_uri(url)
  if driver.ca then ws.request.ctx = tls_context() end
  assert(ws:connect())
  return ws
end

local held = {}

-- Opens n connections in coroutines; each is read all the time, or pings would not be answered.
local function open(n, url, with_each, done)
  local asked, opened = 0, 0
  if n == 0 then return done() end
  for _ = 1, driver.HANDSHAKES do
    cq:wrap(function()
      while asked < n do
        asked = asked + 1
        local ws = dial(url)
        held[#held + 1] = ws
        opened = opened + 1
        with_each(ws)
        if opened == n then done() end
      end
    end)
  end
end

local function read(ws)
  cq:wrap(function() ws:receive() end)
end

local modes = {}

function modes.rx()
  local ws = dial(driver.url)
  driver.clock(cqueues.monotime)
  assert(ws:send "go")
  for _ = 1, count do driver.check(assert(ws:receive())) end
  driver.done()
end

function modes.tx()
  local ws, texts = dial(driver.url), driver.texts()
  driver.clock(cqueues.monotime)
  for i = 1, count do assert(ws:send(texts[i % #texts + 1])) end
  driver.expect_end(assert(ws:receive()))
  driver.done()
end

function modes.rtt()
  local ws, text = dial(driver.url), ("x"):rep(driver.size)
  driver.clock(cqueues.monotime)
  for _ = 1, count do
    assert(ws:send(text))
    driver.check(assert(ws:receive()))
  end
  driver.done()
end

function modes.conn()
  driver.clock(cqueues.monotime)
  open(count, driver.url, read, driver.done)
end

function modes.busy()
  local sent, received, text = 0, 0, ("x"):rep(driver.size)
  local clients = {}
  local function trade(ws)
    while sent < count do
      sent = sent + 1
      assert(ws:send(text))
      driver.check(assert(ws:receive()))
      received = received + 1
      if received == count then driver.done() end
    end
  end
  open(driver.idle, driver.hold_url, read, function()
    open(driver.BUSY, driver.url, function(ws) clients[#clients + 1] = ws end, function()
      driver.clock(cqueues.monotime)
      for _, ws in ipairs(clients) do
        cq:wrap(trade, ws)
      end
    end)
  end)
end

cq:wrap(modes[driver.mode])
assert(cq:loop())
driver.fail "the connection has ended"
