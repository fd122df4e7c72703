---@meta steadysocket.copas

--- steadysocket inside Copas. While it is attached, copas.loop() runs our loop, and WebSocket.run and
--- WebSocket.step raise. Calls that wait may be made in any thread of Copas 4; with Copas 1 in tasks
--- only. An error in a handler goes to Copas's error handler.
---@class steadysocket.copas
local copas = {}

--- From now on Copas runs our loop; copas.step is replaced for as long. Done twice, it is done once.
--- Raises inside a handler, a timer's function or a task, and while another event loop is attached.
function copas.attach() end

--- From now on WebSocket.run() runs our loop again. Not attached, it does nothing.
function copas.detach() end

return copas
