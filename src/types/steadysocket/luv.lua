---@meta steadysocket.luv

--- steadysocket inside luv's event loop. While it is attached, uv.run() runs our loop, and
--- WebSocket.run and WebSocket.step raise. Calls that wait have to be in a task. An error in a handler
--- is treated as one in any callback of luv.
---@class steadysocket.luv
local luv = {}

--- From now on luv's loop runs ours. A second call does nothing. Raises inside a handler, a timer's
--- function or a task, and while another event loop is attached.
function luv.attach() end

--- From now on WebSocket.run() runs our loop again. Does nothing when it is not attached.
function luv.detach() end

return luv
