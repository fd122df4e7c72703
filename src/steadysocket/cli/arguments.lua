--- The command line of steadysocket. One table has all options, to read them and for --help.

require "steadysocket.loader"

local arguments = {}

-- Options have the names that wscat and websocat give them. `takes` is the name of the value.
local OPTIONS = {
  { "header", "H", takes = "'NAME: VALUE'", list = true, "send this header with the request" },
  { "protocol", "s", takes = "NAME", list = true, "offer this subprotocol" },
  { "origin", "o", takes = "ORIGIN", "send this Origin header" },
  { "ca", takes = "FILE", "trust these authorities (PEM) and no others" },
  { "cert", takes = "FILE", "show this certificate (PEM) to the server" },
  { "key", takes = "FILE", "the certificate's private key (PEM)" },
  { "passphrase", takes = "TEXT", "what the key is locked with" },
  { "insecure", "k", "accept any certificate" },
  { "proxy", takes = "URL", "go through this proxy: http, https, socks5, socks5h; env" },
  { "redirects", takes = "N", number = 0, "follow up to this many redirects (0)" },
  { "connect-to", takes = "HOST:PORT", "connect there, whatever the URL says" },
  { "local-address", takes = "ADDRESS", "connect from this address" },
  { "connect-timeout", takes = "SECONDS", number = 0, "give an attempt this long (10)" },
  { "ping", takes = "SECONDS", number = 0, "ping a silent server after this (20; 0: never)" },
  { "compress", "offer compression" },
  { "execute", "x", takes = "MESSAGE", list = true, "send this first" },
  { "binary", "b", "send lines as binary messages" },
  { "confirm", "send again what was lost with a connection" },
  { "one-message", "1", "end after the first message received" },
  { "wait", "w", takes = "SECONDS", number = -1,
    "after the input's end, stay until silent so long (1)" },
  { "no-close", "n", "after the input's end, stay: --wait -1" },
  { "no-reconnect", "end when the connection is lost or fails" },
  { "max-attempts", takes = "N", number = 1, "end after so many failures in a row" },
  { "json", "print JSON messages indented; needs lua-cjson" },
  { "no-color", "no colours in the terminal" },
  { "quiet", "q", "print messages, and why it failed, but no notices" },
  { "verbose", "v", count = true, "print each step on standard error; -vv: and each frame" },
  { "stats", "print counters on standard error at the end" },
  { "version", "V", "print the version" },
  { "help", "h", "print this" },
}

-- Other names of options, from wscat or websocat.
local ALIASES = {
  subprotocol = "protocol",
  ["no-check"] = "insecure",
  ["ping-interval"] = "ping",
  ["max-redirects"] = "redirects",
}

local HEAD = [[
Usage: steadysocket [OPTION...] URL

Connects to a WebSocket server and stays connected: sends the lines of standard
input, and prints the messages that come, one a line; binary ones as they are,
with nothing behind them. The URL is ws://..., wss://..., or a host and port;
ws://USER:PASSWORD@HOST logs in; ws+unix:/SOCKET:/PATH leads to a socket.

]]

local FOOT = [[

In a terminal, Ctrl-D ends it. In a pipe, notices go to standard error, and the
end of the input ends it, once all is sent and answers had time to come. Ctrl-C
closes the connection in order; pressed twice, it ends at once.

Exit codes:
  0    done
  1    the connection failed or was lost, and no attempt was left, or the
       command cannot start
  2    the command line is wrong
  3    the URL is wrong
  4    a file cannot be read
  5    a line cannot be sent, or standard output cannot be written
  130  interrupted (143: terminated)
]]

local by_name = {}
for _, option in ipairs(OPTIONS) do
  by_name["--" .. option[1]] = option
  if option[3] then by_name["-" .. option[2]] = option end
end
for alias, name in pairs(ALIASES) do
  by_name["--" .. alias] = by_name["--" .. name]
end

local function left_column(option)
  local short = option[3] and "-" .. option[2] .. ", " or "    "
  return short .. "--" .. option[1] .. (option.takes and " " .. option.takes or "")
end

--- Returns the text of --help.
function arguments.help()
  local lines = {}
  for _, option in ipairs(OPTIONS) do
    local text = option[#option] .. (option.list and "; may be repeated" or "")
    lines[#lines + 1] = ("  %-29s  %s\n"):format(left_column(option), text)
  end
  return HEAD .. table.concat(lines) .. FOOT
end

local function wrong(...)
  local problem = (...):format(select(2, ...))
  error({ problem = problem .. "; steadysocket --help shows what there is" }, 0)
end

local function check_number(option, name, value)
  local number = tonumber(value)
  if not number or number ~= number or number < option.number or number > 1e9 then
    wrong("%s '%s': a number from %d to 1e9 is expected", name, value, option.number)
  end
  return number
end

local function set(result, option, name, value)
  if option.number then value = check_number(option, name, value) end
  if option.count then value = (result[option[1]] or 0) + 1 end
  if option.list then
    result[option[1]] = result[option[1]] or {}
    table.insert(result[option[1]], value)
  else
    result[option[1]] = value
  end
end

-- Reads a word that is an option or several short ones. The value may be in the same word. When it
-- is in the next one, returns a function that takes that word.
local function read_option(result, name, attached)
  local option = by_name[name] or wrong("unknown option %s", name)
  if not option.takes then
    if attached then wrong("%s takes no value", name) end
    set(result, option, name, true)
  elseif attached then
    set(result, option, name, attached)
  else
    return function(value) set(result, option, name, value) end, name
  end
end

local function read_short(result, letters)
  for i = 1, #letters do
    local name = "-" .. letters:sub(i, i)
    local rest = letters:sub(i + 1)
    if by_name[name] and by_name[name].takes then
      return read_option(result, name, rest ~= "" and rest or nil)
    end
    read_option(result, name)
  end
end

local function read_url(result, word)
  if result.url then wrong("'%s' is a second URL (quote lines that have spaces)", word) end
  result.url = word
end

local function read_word(result, word)
  if word:find "^%-%-." then
    local name, value = word:match "^(%-%-[^=]+)=(.*)$"
    return read_option(result, name or word, value)
  elseif word:find "^%-." then
    return read_short(result, word:sub(2))
  end
  read_url(result, word)
end

local function read_all(words)
  local result, take, name, taken = {}, nil, nil, ""
  local read = read_word
  for _, word in ipairs(words) do
    if take then
      take(word)
      take, taken = nil, (": '%s' is the value of %s"):format(word, name)
    elseif word == "--" and read == read_word then
      read = read_url -- every word behind "--" is the URL
    else
      take, name = read(result, word)
    end
  end
  if take then wrong("%s has no value behind it", name) end
  if not (result.url or result.help or result.version) then wrong("there is no URL%s", taken) end
  return result
end

--- Reads the command line. Returns a table with the options by their long names and with `url`; or
--- nil and what is wrong.
function arguments.parse(words)
  local ok, result = pcall(read_all, words)
  if ok then return result end
  if type(result) == "table" and result.problem then return nil, result.problem end
  error(result, 0)
end

return arguments
