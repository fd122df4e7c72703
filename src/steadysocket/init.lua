--- steadysocket: the WebSocket client that stays connected.

require "steadysocket.loader"
return require "steadysocket.tasks"
