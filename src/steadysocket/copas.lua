--- steadysocket inside Copas.
--
--   local copas = require "copas"
--   require("steadysocket.copas").attach()
--   ...                                    -- clients, timers, tasks as usual
--   copas.loop()                           -- instead of WebSocket.run()
--
-- Calls that wait (ws:receive, ws:messages, ws:wait, ws:flush, WebSocket.sleep) may be made in any
-- thread of Copas, not only in tasks: the others go on meanwhile. copas.loop() returns when nothing
-- is left to do. An error in a handler goes where those of Copas's threads go.
--
-- That is so with Copas 4. Copas 1, as in Debian 12, has no end and no way to sleep: there its loop
-- goes on for ever, and only tasks can wait.

local copas = require "copas"

local WebSocket = require "steadysocket"
local internal = require "steadysocket.internal"

local adapter = {}

local attachment -- { step, changed = there is something to do, serving = a thread runs our loop }

-- What Copas takes for a socket: our loop's descriptor, readable also when a turn is due.
local socket = {
  getfd = WebSocket.fd,
  dirty = function()
    return not attachment or attachment.changed or WebSocket.timeout() == 0
  end,
  close = function() end,
}
