---@meta steadysocket.copas

--- steadysocket inside Copas. While it is attached, copas.loop() runs our loop, and WebSocket.run and
--- WebSocket.step raise. Calls that wait may be made in any thread of Copas 4; with Copas 1 in tasks
--- only. An error in a handler goes to Copas's error handler.
---@class steadysocket.copas
local copas = {}

--- From now on Copas runs our loop, and copas.step is replaced. A second call does nothing.
--- Raises inside a handler, a timer's function or a task, and while another event loop is attached.
function copas.attach() end

--- From now on WebSocket.run() runs our loop again. Does nothing when it is not attached.
function copas.detach() end

return copas
