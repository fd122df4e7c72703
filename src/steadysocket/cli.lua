--- The command: steadysocket URL. See docs/guide/command.md, and --help in cli/arguments.lua.

local WebSocket = require "steadysocket"
local Terminal = require "steadysocket.cli.terminal"
local arguments = require "steadysocket.cli.arguments"
local internal = require "steadysocket.internal"
local json = require "steadysocket.cli.json"
local output = require "steadysocket.cli.output"

local cli = {}

local NAME = "steadysocket"
local EXIT = { done = 0, failed = 1, usage = 2, url = 3, file = 4, data = 5, INT = 130, TERM = 143 }
local MAX_LINE = 16 * 1024 * 1024 -- bytes; what the queue takes by default
local TERMINAL_PING = 5 -- seconds, so that the latency is shown soon
local BROKEN_PIPE = 32 -- EPIPE, on all systems we know

-- What to do about a failure, by its kind: a text, or a function of the event that may return one.
local ADVICE = {
  dns = "check the name of the host",
  refused = "start the server, or check the port",
  unreachable = "check the address and the network",
  timeout = "check the address, or wait longer with --connect-timeout",
  handshake = "check that a WebSocket server listens there",
  proxy = "check the proxy",
}

function ADVICE.tls(event)
  if event.message:find(": certificate is ", 1, true) then
    return "--ca FILE trusts another authority, --insecure any certificate"
  elseif event.message:find("is not TLS", 1, true) then
    return "a server without TLS is reached by ws://"
  end
end

function ADVICE.http(event)
  local status = event.http_status
  if status == 401 then
    return "give a user and password in the URL, or --header"
  elseif status >= 500 then
    return "try again later: the server, or one behind it, is in trouble"
  end
  return "check the path, and what --header, --protocol and --origin say"
end

-- A text to put behind a failure's message, or nothing.
local function advice_for(event)
  local advice = ADVICE[event.kind]
  if type(advice) == "function" then advice = advice(event) end
  return advice and "; " .. advice or ""
end

local function complain(code, text)
  output.complain(text)
  return code
end

-- What the module raises where there is no loop or no connection to be made, with what to do.
local function not_started(problem)
  if not problem:find "too many open files" then return problem end
  return problem .. "; allow more of them (ulimit -n)"
end

--------------------------------------------------------------------------------------------------
-- A session: { options, ws, output, input, code, ... }

-- Ends the session with this exit code, unless it is ending already.
local function finish(session, code)
  if session.code then return end
  session.code = code
  if session.input then session.input:cancel() end
  session.ws:close()
end

-- Ends the session because of bad input, after sending what was read before. Waits.
local function fail(session, text)
  session.output:notice("red", text)
  session.input:cancel()
  session.ws:flush()
  finish(session, EXIT.data)
end

-- When the reader of our output has closed it, that is no error; everything else is.
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
  session.output:notice("red", text .. advice_for(event))
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
-- Input

-- Sends a line. Waits while the queue is full.
local function send(session, text)
  local ws, kind = session.ws, session.options.binary and "binary" or "text"
  session.line = session.line + 1
  repeat
    local sent, _, code = ws:send(text, kind)
    if code == "invalid" then
      fail(session, ("line %d is not UTF-8; send it with --binary"):format(session.line))
    elseif code == "queue_full" then
      ws:flush()
    end
  until sent or code ~= "queue_full"
end

-- Sends the lines that end in this piece of input, and keeps the beginning of the next line.
local function take_lines(session, data)
  local start = 1
  for stop in data:gmatch "()\n" do
    table.insert(session.pieces, data:sub(start, stop - 1))
    start = stop + 1
    send(session, table.concat(session.pieces))
    session.pieces, session.size = {}, 0
    if session.code then return end
  end
  table.insert(session.pieces, data:sub(start))
  session.size = session.size + #data - start + 1
  if session.size > MAX_LINE then
    fail(session, ("line %d is longer than 16 MiB; split it"):format(session.line + 1))
  end
end

-- At the end of the input: sends everything and waits for answers, then ends the session.
local function wait_for_answers(session)
  if session.size > 0 then send(session, table.concat(session.pieces)) end
  if not session.opened then session.ws:wait "open" end
  session.ws:flush()
  local seconds = session.options["no-close"] and -1 or session.options.wait or 1
  if seconds < 0 or session.code then return end
  session.all_sent = true
  local silent = 0 -- how many quarters of that time in a row brought no message
  repeat
    local received = session.received
    WebSocket.sleep(seconds / 4)
    silent = received == session.received and silent + 1 or 0
  until silent == 4
  finish(session, EXIT.done)
end

local function on_input(session, data, problem)
  if problem then
    return WebSocket.spawn(fail, session, "standard input cannot be read: " .. problem)
  end
  if not data then return WebSocket.spawn(wait_for_answers, session) end
  session.input:pause()
  WebSocket.spawn(function()
    take_lines(session, data)
    session.input:resume()
  end)
end

local function on_line(session, line)
  if line == "" then return end
  local sent, problem = session.ws:send(line, session.options.binary and "binary" or "text")
  if not sent then session.output:notice("red", problem:gsub("^" .. NAME .. ": ", "not sent: ")) end
  session.output:refresh()
end

local function every_time(name, fn)
  internal.signal(name, function()
    every_time(name, fn)
    fn()
  end)
end

-- Returns the function that takes what is typed.
local function read_terminal(session)
  local terminal = session.output.terminal
  every_time("WINCH", function() terminal:resized() end)
  every_time("CONT", function() terminal:resumed() end)
  WebSocket.every(0.5, function() session.output:refresh() end)
  return function(data)
    if data then terminal:feed(data) else finish(session, EXIT.done) end
  end
end

-- Handles a signal. The first one closes the connection in order. A second one ends the process, as
-- it does by default; but before that the terminal has to be restored.
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

local function headers_of(options)
  local headers = {}
  for _, line in ipairs(options.header or {}) do
    local name, value = line:match "^%s*([^:%s]+)%s*:%s*(.-)%s*$"
    if not name then
      return nil, ("--header '%s' is not of the form 'NAME: VALUE'"):format(line)
    end
    headers[name] = headers[name] or {}
    table.insert(headers[name], value)
  end
  return headers
end

local function heartbeat_of(options, terminal)
  if options.ping == 0 then return false end
  return { interval = options.ping or terminal and TERMINAL_PING or nil }
end

local function client_options(options, headers, terminal)
  return {
    url = options.url,
    name = NAME,
    headers = headers,
    protocols = options.protocol,
    origin = options.origin,
    proxy = options.proxy,
    redirects = options.redirects,
    connect_to = options["connect-to"],
    local_address = options["local-address"],
    compression = options.compress,
    confirm = options.confirm,
    connect_timeout = options["connect-timeout"],
    reconnect = not options["no-reconnect"] and { max_attempts = options["max-attempts"] },
    heartbeat = heartbeat_of(options, terminal),
    tls = {
      ca_file = options.ca,
      cert_file = options.cert,
      key_file = options.key,
      key_password = options.passphrase,
      verify = not options.insecure,
    },
  }
end

-- Checks the options. When something is wrong, returns the exit code and a message.
local function check(options)
  local complete = options.url:find "://" or options.url:find "^%a+%+unix:"
  if not complete then options.url = "ws://" .. options.url end
  local good, problem = pcall(WebSocket.new, options.url)
  local wrong = not good and problem:match "not a WebSocket URL: (.*)%)$"
  if wrong then
    return EXIT.url, ("'%s': %s; give ws://HOST:PORT/PATH or wss://..."):format(options.url, wrong)
  elseif not good then
    return EXIT.failed, not_started(problem)
  end
  for _, name in ipairs { "ca", "cert", "key" } do
    local file, reason = io.open(options[name] or "/dev/null")
    if not file then
      return EXIT.file, ("--%s %s; name a file that can be read"):format(name, reason)
    end
    file:close()
  end
end

local function new_client(options, terminal)
  local headers, problem = headers_of(options)
  if not headers then return nil, problem end
  local made, ws = pcall(WebSocket.new, client_options(options, headers, terminal))
  if not made then return nil, ws .. "; steadysocket --help shows what there is" end
  for _, message in ipairs(options.execute or {}) do
    local sent, reason, code = ws:send(message, options.binary and "binary" or "text")
    if code == "invalid" then reason = "the text is not UTF-8; with --binary any bytes are sent" end
    if not sent then return nil, "--execute: " .. reason end
  end
  return ws
end

-- Steps and frames go to standard error; where that is the terminal, through what draws it. What is
-- a notice already is not told twice.
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
  -- When all input is sent, a server that closes the connection in order ends the session.
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
      on_line = function(line) on_line(session, line) end,
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

-- Returns what is wrong, if anything is.
local function connect(session, terminal)
  for _, signal in ipairs { "INT", "TERM" } do
    internal.signal(signal, function() obey(session, signal) end)
  end
  local connected, problem = pcall(session.ws.connect, session.ws)
  if not connected then return problem end
  session.input, problem = internal.input(0, terminal and read_terminal(session) or function(...)
    on_input(session, ...)
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
    return complain(EXIT.failed, not_started(problem))
  end
  local ok, failure = pcall(WebSocket.run)
  session.output:close()
  if not ok then error(failure, 0) end
  if session.options.stats then print_stats(session.ws) end
  return session.code or EXIT.done
end

-- Handles --help and --version. Returns true for one of them.
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
  code, problem = check(options)
  if code then return complain(code, problem) end
  local terminal = Terminal.is_terminal(0) and Terminal.is_terminal(1)
    and os.getenv "TERM" ~= "dumb"
  local ws
  ws, problem = new_client(options, terminal)
  if not ws then return complain(EXIT.usage, problem) end
  local session = { options = options, ws = ws, received = 0, line = 0, pieces = {}, size = 0 }
  return run(session, terminal)
end

return cli
