--- The command: steadysocket URL. See docs/guide/command.md, and --help in cli/arguments.lua.

local WebSocket = require "steadysocket"
local Terminal = require "steadysocket.cli.terminal"
local advice = require "steadysocket.cli.advice"
local arguments = require "steadysocket.cli.arguments"
local input = require "steadysocket.cli.input"
local internal = require "steadysocket.internal"
local json = require "steadysocket.cli.json"
local output = require "steadysocket.cli.output"
local sessions = require "steadysocket.cli.session"
local setup = require "steadysocket.cli.setup"

local EXIT, NAME, finish = sessions.EXIT, sessions.NAME, sessions.finish
local BROKEN_PIPE = 32 -- EPIPE, on all systems we know

local cli = {}

local function complain(code, text)
  output.complain(text)
  return code
end

--------------------------------------------------------------------------------------------------
-- The events of a session

-- Handles a failure of standard output. It is not an error when the reader has closed the pipe.
local function output_broken(session, message, errno)
  if session.code then return end
  if errno == BROKEN_PIPE then return finish(session, EXIT.done) end
  output.complain("standard output cannot be written: " .. message .. "; make room for it")
  finish(session, EXIT.data)
end

local function notice(session, colour, text)
  if not session.options.quiet then session.output:notice(colour, text) end
end

local function again(session, event)
  session.due = event.delay and os.time() + event.delay
  return event.will_reconnect and ("; next attempt in %.1f s"):format(event.delay) or ""
end

local function on_open(session, event)
  session.opened = true
  local protocol = event.protocol and ", protocol " .. event.protocol or ""
  notice(session, "dim", ("%s to %s at %s%s"):format(
    event.reconnected and "connected again" or "connected", event.url, event.address, protocol))
end

local function on_message(session, data, kind)
  if session.code and session.options["one-message"] then return end
  session.received = session.received + 1
  if session.indent and kind == "text" then data = session.indent(data) end
  session.output:message(data, kind)
  if session.options["one-message"] then finish(session, EXIT.done) end
end

local function on_error(session, event)
  local text = event.message:gsub("^" .. NAME .. ": ", "") .. again(session, event)
  if event.will_reconnect then return notice(session, "yellow", text) end
  session.output:notice("red", text .. advice.about(event))
  finish(session, EXIT.failed)
end

local ENDED = { peer = "closed by the server", us = "closed", network = "connection lost" }
local NORMAL = { [1000] = true, [1005] = true }

local function on_close(session, event)
  local reason = event.reason ~= "" and ", " .. Terminal.harmless(event.reason) or ""
  notice(session, event.by == "us" and "dim" or "yellow", ("%s (code %d%s)%s"):format(
    ENDED[event.by], event.code, reason, again(session, event)))
  if event.by == "network" and session.code == EXIT.done then session.code = EXIT.failed end
  if event.will_reconnect then return end
  finish(session, event.clean and NORMAL[event.code] and EXIT.done or EXIT.failed)
end

local function on_status(session, status)
  session.output:refresh()
  if status == "closed" then WebSocket.stop() end
end

--------------------------------------------------------------------------------------------------
-- The terminal and signals

local function every_time(name, fn)
  internal.signal(name, function()
    every_time(name, fn)
    fn()
  end)
end

-- Returns the function that takes the input of a terminal.
local function read_terminal(session)
  local terminal = session.output.terminal
  every_time("WINCH", function() terminal:resized() end)
  every_time("CONT", function() terminal:resumed() end)
  WebSocket.every(0.5, function() session.output:refresh() end)
  return function(data)
    if data then terminal:feed(data) else finish(session, EXIT.done) end
  end
end

-- Handles a signal. The first one closes the connection properly. A second one ends the process, as
-- signals do by default, but restores the terminal before that.
local function obey(session, signal)
  finish(session, EXIT[signal])
  if not session.output.terminal then return end
  internal.signal(signal, function()
    session.output:close()
    os.exit(EXIT[signal])
  end)
end

--------------------------------------------------------------------------------------------------
-- From the command line to a session

-- Returns a log that writes steps and frames to standard error. When that is the terminal, the log
-- uses the code that draws the terminal. Other lines are left out, since there is a notice for
-- them.
local function log_of(session)
  local drawn = session.output.terminal and Terminal.is_terminal(2)
  return {
    level = session.options.verbose > 1 and "trace" or "debug",
    to = function(level, line)
      if level ~= "debug" and level ~= "trace" then return end
      if drawn then return session.output:notice("dim", line) end
      io.stderr:write(line, "\n")
    end,
  }
end

local function handle_events(session)
  local ws = session.ws
  ws.on_open = function(event) on_open(session, event) end
  ws.on_message = function(data, kind) on_message(session, data, kind) end
  ws.on_error = function(event) on_error(session, event) end
  ws.on_close = function(event) on_close(session, event) end
  ws.on_status = function(status) on_status(session, status) end
  -- When all input has been sent, the session ends as soon as the server closes the connection.
  ws.should_reconnect = function(event)
    if session.all_sent and event.clean then return false end
  end
end

local function print_stats(ws)
  local lines = {}
  for name, value in pairs(ws:stats()) do
    local format = math.type(value) == "integer" and "%s: %d\n" or "%s: %.3f\n"
    lines[#lines + 1] = format:format(name, value)
  end
  table.sort(lines)
  io.stderr:write(table.concat(lines))
end

local function start(session, terminal)
  local options = session.options
  if terminal then
    session.output = output.screen(session, {
      colours = not options["no-color"] and (os.getenv "NO_COLOR" or "") == "",
      on_line = function(line) input.send_line(session, line) end,
      on_end = function() finish(session, EXIT.done) end,
    })
  else
    session.output = output.pipe(function(...) output_broken(session, ...) end)
  end
  if options.json then
    local problem
    session.indent, problem = json.formatter()
    if problem then session.output:notice("yellow", problem) end
  end
end

-- Connects, and begins to read the input. Returns a text when something is wrong.
local function connect(session, terminal)
  for _, signal in ipairs { "INT", "TERM" } do
    internal.signal(signal, function() obey(session, signal) end)
  end
  local connected, problem = pcall(session.ws.connect, session.ws)
  if not connected then return problem end
  session.input, problem = internal.input(0, terminal and read_terminal(session) or function(...)
    input.take(session, ...)
  end)
  return problem and "standard input cannot be read: " .. problem
end

local function run(session, terminal)
  handle_events(session)
  start(session, terminal)
  if session.options.verbose then session.ws.log = log_of(session) end
  local problem = connect(session, terminal)
  if problem then
    session.output:close()
    return complain(EXIT.failed, advice.about_start(problem))
  end
  local ok, failure = pcall(WebSocket.run)
  session.output:close()
  if not ok then error(failure, 0) end
  if session.options.stats then print_stats(session.ws) end
  return session.code or EXIT.done
end

-- Handles --help and --version. Returns true when one of them was given.
local function tell(options)
  if options.help then
    io.stdout:write(arguments.help())
  elseif options.version then
    print(("%s %s (libwebsockets %s, %s)"):format(
      NAME, WebSocket.version, WebSocket.libwebsockets, _VERSION))
  end
  return options.help or options.version
end

local held = {} -- files that are open for as long as the command runs

-- When a standard stream is closed, the next descriptor that is opened gets its number, and libuv
-- aborts when it closes a descriptor with such a number. So those numbers are taken first.
local function fill_standard_streams()
  for _ = 1, 3 do table.insert(held, (io.open("/dev/null", "r+"))) end
end

--- Runs the command with a list of words, and returns its exit code.
function cli.main(words)
  fill_standard_streams()
  local options, problem = arguments.parse(words)
  if not options then return complain(EXIT.usage, problem) end
  if tell(options) then return EXIT.done end
  local code
  code, problem = setup.check(options)
  if code then return complain(code, problem) end
  local terminal = Terminal.is_terminal(0) and Terminal.is_terminal(1)
    and os.getenv "TERM" ~= "dumb"
  local ws
  ws, problem = setup.new_client(options, terminal)
  if not ws then return complain(EXIT.usage, problem) end
  local session = { options = options, ws = ws, received = 0, line = 0, pieces = {}, size = 0 }
  return run(session, terminal)
end

return cli
