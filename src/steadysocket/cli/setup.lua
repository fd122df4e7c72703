--- Makes a client by the options of the command line.

require "steadysocket.loader"
local WebSocket = require "steadysocket"
local advice = require "steadysocket.cli.advice"
local sessions = require "steadysocket.cli.session"

local EXIT, NAME = sessions.EXIT, sessions.NAME
local TERMINAL_PING = 5 -- seconds, so that the latency is shown soon

local setup = {}

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

-- Whether a word is a URL with a scheme, perhaps mistyped as "http//h" or "ws:/h", and not only a
-- host with a port or a path, as "ws:8080" is.
local function has_scheme(word)
  if word:find "://" or word:find "^%a+%+unix:" then return true end
  local name, behind = word:match "^(%a+)([:/\\].*)"
  return name and ({ ws = true, wss = true, http = true, https = true })[name:lower()]
    and (behind:find "^//" or behind:find "^:[^%d]") ~= nil
end

-- Returns what a URL looks like, of the kind that was meant.
local function good_form(word, wrong)
  if word:find "^%a+%+unix:" then return "ws+unix:/SOCKET:/PATH" end
  return ("ws://%s:PORT/PATH or wss://..."):format(wrong:find "IPv6" and "[ADDRESS]" or "HOST")
end

--- Checks the options. When something is wrong, returns the exit code and a message.
function setup.check(options)
  local word = options.url
  if not has_scheme(word) then options.url = "ws://" .. word end
  local good, problem = pcall(WebSocket.new, options.url)
  local wrong = not good and problem:match "not a WebSocket URL: (.*)%)$"
  if wrong then
    return EXIT.url, ("'%s': %s; give %s"):format(word, wrong, good_form(word, wrong))
  elseif not good then
    return EXIT.failed, advice.about_start(problem)
  end
  if (options.cert == nil) ~= (options.key == nil) then
    return EXIT.usage, "--cert and --key go together; give both"
  end
  for _, name in ipairs { "ca", "cert", "key" } do
    local file, reason = io.open(options[name] or "/dev/null")
    if not file then
      return EXIT.file, ("--%s %s; name a file that can be read"):format(name, reason)
    end
    file:close()
  end
end

-- The module's options for which the command has another name.
local OTHER_NAMES = {
  protocols = "protocol",
  ["heartbeat.interval"] = "ping",
  ["reconnect.max_attempts"] = "max-attempts",
}

-- Returns the module's message with the command's name of the option.
local function with_our_names(message)
  return (message:gsub("^option '([^']*)'", function(name)
    local header = name:match "^headers%.(.*)"
    name = header and "header " .. header or OTHER_NAMES[name] or name:gsub("_", "-")
    return "option --" .. name
  end))
end

--- Returns the client with the messages of --execute in its queue, or nil and a text that says what
--- is wrong.
function setup.new_client(options, terminal)
  local headers, problem = headers_of(options)
  if not headers then return nil, problem end
  local made, ws = pcall(WebSocket.new, client_options(options, headers, terminal))
  if not made then return nil, with_our_names(ws) .. "; steadysocket --help shows what there is" end
  for _, message in ipairs(options.execute or {}) do
    local sent, reason, code = ws:send(message, options.binary and "binary" or "text")
    if code == "invalid" then reason = "the text is not UTF-8; with --binary any bytes are sent" end
    if not sent then return nil, "--execute: " .. reason end
  end
  return ws
end

return setup
