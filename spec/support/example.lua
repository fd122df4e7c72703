-- A program of examples/ in a process of its own, handled as command.lua handles the command.
--
--   local example = Example.start("chat", { url })
--   example:shows("out", "(a pattern)")
--   local result = example:result()  -- { code, out, err }

local Command = require "support.command"

local Example = {}

local FOLDER = debug.getinfo(1, "S").source:match "^@(.-)spec/support/example%.lua$" .. "examples/"

--- options: as for Command.start.
function Example.start(name, arguments, options)
  local more = { program = FOLDER .. name .. ".lua" }
  for key, value in pairs(options or {}) do more[key] = value end
  return Command.start(arguments, more)
end

--- For after_each.
Example.end_all = Command.end_all

return Example
