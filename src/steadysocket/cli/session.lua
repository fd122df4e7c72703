--- A session of the command, and how it ends. A session is a table { options, ws, output, input,
-- code, ... }; code is its exit code, once it is ending.

require "steadysocket.loader"

local exports = {}

exports.NAME = "steadysocket"

exports.EXIT = {
  done = 0, failed = 1, usage = 2, url = 3, file = 4, data = 5, INT = 130, TERM = 143,
}

--- Ends the session with this exit code, unless it is ending already.
function exports.finish(session, code)
  if session.code then return end
  session.code = code
  if session.input then session.input:cancel() end
  session.ws:close()
end

--- Ends the session because of bad input, after everything that was read before has been sent. This
--- call waits.
function exports.fail(session, text)
  session.output:notice("red", text)
  session.input:cancel()
  session.ws:flush()
  exports.finish(session, exports.EXIT.data)
end

return exports
