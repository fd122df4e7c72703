--- steadysocket: the WebSocket client that stays connected.

return require "steadysocket.tasks"
