---@meta steadysocket.cqueues

--- steadysocket inside a cqueues controller. While it is attached, the controller's loop runs ours, and
--- WebSocket.run and WebSocket.step raise. Calls that wait may be made in any coroutine of a controller.
--- An error in a handler is returned by the controller's loop().
---@class steadysocket.cqueues
local cqueues = {}

--- From now on this controller runs our loop. A second call for it does nothing. Raises when no
--- controller is given and none runs the caller, inside a handler, a timer's function or a task, and
--- while another controller or event loop is attached.
---@param controller? userdata what cqueues.new() returns (the one that runs the caller)
function cqueues.attach(controller) end

--- From now on WebSocket.run() runs our loop again. Does nothing when it is not attached.
function cqueues.detach() end

return cqueues
