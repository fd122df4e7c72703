local Command = require "support.command"
local Peer = require "support.peer"
local Server = require "support.server"
local certs = require "support.certs"
local files = require "support.files"
local turn = require "support.turn"

local NOBODY = "ws://127.0.0.1:1/" -- nothing listens there

after_each(function()
  Command.end_all()
  Peer.close_all()
  Server.stop_all()
end)

-- With a short wait at the input's end, for servers that answer at once.
local function run(words, options)
  local wait = 0.3 * (tonumber(os.getenv "SPEC_PATIENCE") or 1)
  return Command.start({ "--wait=" .. wait, table.unpack(words) }, options):result()
end

local function lines(text)
  return select(2, text:gsub("\n", ""))
end

-- The next frame that is no ping; those are answered.
local function hear(conn)
  local frame = conn:receive_frame()
  if frame.opcode ~= Peer.OPCODE.ping then return frame end
  conn:pong(frame.payload)
  return hear(conn)
end

-- The peer answers the closing handshake, which the command began.
local function part(conn)
  local frame = hear(conn)
  assert.equal(Peer.OPCODE.close, frame.opcode)
  local code = (">I2"):unpack(frame.payload)
  conn:close(code)
  conn:finish()
  return code
end

describe("The command, in a pipe,", function()
  it("sends the lines of its input and prints the messages, one a line", function()
    local server = Server.start()
    local result = run({ server:url() }, { input = "one\n\ntwo words\nlast, without an end" })
    assert.equal("one\n\ntwo words\nlast, without an end\n", result.out)
    assert.equal(0, result.code)
    assert.match("^steadysocket: connected to " .. server:url() .. " at 127.0.0.1\n", result.err)
    assert.match("\nsteadysocket: closed %(code 1000%)\n$", result.err)
  end)

  it("takes its input from a pipe as it comes", function()
    local server = Peer.listen()
    local command = Command.start { server.url }
    local conn = server:welcome()
    command:write "first\nsecond, part one"
    assert.equal("first", conn:receive_text())
    command:write ", part two\n"
    assert.equal("second, part one, part two", conn:receive_text())
    conn:text "an answer"
    command:shows("out", "^(an answer\n)$")
    command:close()
    assert.equal(1000, part(conn))
    assert.equal(0, command:result().code)
  end)

  it("connects to ws:// when the URL says no more than host and port", function()
    local server = Peer.listen()
    local command = Command.start({ "127.0.0.1:" .. server.port }, { input = "" })
    part(server:welcome())
    assert.equal(0, command:result().code)
  end)

  it("takes ws for the name of a host when a port or a path is behind it", function()
    for word, url in pairs { ["ws:1"] = "ws://ws:1/", ["wss/feed"] = "ws://wss/feed", http = "ws://http/" } do
      local result = run({ "--no-reconnect", "--connect-to", "127.0.0.1:1", word }, { input = "" })
      assert.truthy(result.err:find(url, 1, true), result.err)
    end
  end)

  it("carries 10 MB of lines there and back, unchanged", function()
    local server = Server.start()
    local wide = {}
    for i = 1, 100000 do wide[i] = ("%08d "):format(i) .. ("x"):rep(91) end
    local input = table.concat(wide, "\n") .. "\n"
    local result = run({ "--quiet", server:url() }, { input = input })
    assert.equal(#input, #result.out)
    assert(input == result.out)
  end)

  it("reads no faster than the server takes it", function()
    local reading = io.open "/proc/self/io"
    if not reading then return pending "there is no /proc/PID/io" end
    reading:close()
    local server = Peer.listen()
    local command = Command.start({ "--ping", "0", server.url }, { from = "yes 'a line' 2>/dev/null" })
    server:welcome()
    local path = ("/proc/%d/io"):format(command:pid())
    local function amount()
      local file <close> = assert(io.open(path))
      return tonumber(file:read("a"):match "rchar: (%d+)")
    end
    local read = turn.till_still(amount, "the command to stop reading", nil, 8 * 1024 * 1024)
    assert(read < 64 * 1024 * 1024, read .. " bytes are read")
  end)

  it("sends binary messages with --binary, and prints binary ones as they are", function()
    local server = Peer.listen()
    local command = Command.start({ "--binary", server.url }, { input = "\xFF\0a\n" })
    local conn = server:welcome()
    assert.equal("\xFF\0a", conn:receive_binary())
    conn:binary "\0\1\n\xFE"
    conn:binary "end"
    part(conn)
    assert.equal("\0\1\n\xFEend", command:result().out)
  end)

  it("follows redirects where it was told how many", function()
    local first, second = Peer.listen(), Peer.listen()
    local command = Command.start({ "--redirects", "1", "--no-reconnect", first.url }, { input = "hello\n" })
    local conn = first:accept()
    conn:request()
    conn:reply("HTTP/1.1 302 Found", { ["Location"] = second.url, ["Content-Length"] = "0" })
    assert.equal("hello", second:welcome():receive_text())
    command:shows("err", "connected to (" .. second.url:gsub("%p", "%%%0") .. ") at")
  end)

  it("sends the headers, the origin and the subprotocols it was told", function()
    local server = Peer.listen()
    local command = Command.start({
      "-H", "Authorization: Bearer a:b", "--header=X-Two: 1", "-HX-Two:2", "-o", "http://here",
      "--protocol", "chat", "-s", "news", server.url,
    }, { input = "" })
    local conn = server:accept()
    local headers = conn:upgrade({ protocol = "news" }).headers
    assert.equal("Bearer a:b", headers.authorization)
    assert.same({ "1", "2" }, headers["x-two"])
    assert.equal("http://here", headers.origin)
    assert.equal("chat, news", headers["sec-websocket-protocol"])
    part(conn)
    assert.match("connected to [^\n]*, protocol news\n", command:result().err)
  end)

  it("indents JSON with --json, and changes nothing else", function()
    if not pcall(require, "cjson") then return pending "lua-cjson is not there" end
    local server = Server.start()
    local input = '{"b":[1.50,{},[ ],"\\"}{"],"a":{"x":null}}\nnot JSON\n"text"\n[1,\n'
    local result = run({ "--json", server:url() }, { input = input })
    assert.equal([=[
{
  "b": [
    1.50,
    {},
    [],
    "\"}{"
  ],
  "a": {
    "x": null
  }
}
not JSON
"text"
[1,
]=], result.out)
  end)

  it("leaves its input where it is while the queue is full, and sends all of it in the end", function()
    local server = Peer.listen { narrow = true }
    local written = os.tmpname() -- a line for each that the input had room for
    local command = Command.start({ server.url }, {
      from = ("for i in $(seq 26); do head -c 1048575 /dev/zero | tr '\\0' x; echo; echo >> %s; done"):format(
        written),
    })
    local conn = server:welcome()
    local last = turn.till_still(function() return lines(files.read(written)) end,
      "the input to wait", nil, 16)
    os.remove(written)
    assert(last < 26, last)
    for _ = 1, 26 do assert.equal(1048575, #conn:receive_text(20)) end
    part(conn)
    assert.equal(0, command:result().code)
  end)

  it("says so when --json finds no lua-cjson, and goes on", function()
    local server = Server.start()
    local result = run({ "--json", server:url() }, {
      input = "[1]\n",
      environment = [[LUA_INIT="$LUA_INIT package.preload.cjson = function() error() end"]],
    })
    assert.equal("[1]\n", result.out)
    assert.match("^steadysocket: %-%-json needs lua%-cjson %(apt%-get install lua%-cjson", result.err)
    assert.equal(0, result.code)
  end)

  it("sends again with --confirm what was lost, and counts with --stats", function()
    local server = Peer.listen()
    local command = Command.start({ "--confirm", "--stats", server.url }, { input = "a\nb\n" })
    local conn = server:welcome()
    assert.equal("a", conn:receive_text())
    conn:cut()
    conn = server:welcome()
    assert.equal("a", hear(conn).payload)
    assert.equal("b", hear(conn).payload)
    part(conn)
    local result = command:result()
    assert.equal(0, result.code)
    assert.equal("", result.out)
    assert.match("\naccepted: 2\n", result.err)
    assert.match("\nconfirmed: 2\n", result.err)
    assert.match("\nconnections: 2\n", result.err)
    assert.match("\ntime_connected: %d+%.%d%d%d\n", result.err)
  end)

  it("reconnects, and says so on standard error", function()
    local server = Peer.listen()
    local command = Command.start { server.url }
    server:welcome():cut()
    local conn = server:welcome()
    command:shows("err", "(connection lost %(code 1006%); next attempt in %d+%.%d s\n)")
    command:shows("err", "(connected again to )")
    command:write "still there\n"
    assert.equal("still there", conn:receive_text())
    conn:close(1001, "back\27 soon")
    conn:finish()
    server:welcome()
    command:shows("err", "(closed by the server %(code 1001, back%? soon%); next attempt)")
    assert.equal("", command:shown "out")
  end)

  it("prints messages only with --quiet", function()
    local server = Peer.listen()
    local command = Command.start({ "-q", server.url }, { input = "a\n" })
    local lost = server:welcome()
    assert.equal("a", lost:receive_text())
    lost:cut()
    local conn = server:welcome()
    conn:text "answer"
    part(conn)
    assert.same({ code = 0, out = "answer\n", err = "" }, command:result())
  end)

  it("sends what --execute says, first, and ends after the first message with -1", function()
    local server = Peer.listen()
    local command = Command.start { "-x", "log in", "--execute", "subscribe", "-1", server.url }
    command:write "a line\n"
    local conn = server:welcome()
    assert.equal("log in", conn:receive_text())
    assert.equal("subscribe", conn:receive_text())
    assert.equal("a line", conn:receive_text())
    conn:send(Peer.encode("text", "one") .. Peer.encode("text", "two"))
    part(conn)
    local result = command:result()
    assert.equal("one\n", result.out)
    assert.equal(0, result.code)
  end)

  it("waits at the end of its input until no answer came for --wait seconds", function()
    local server = Peer.listen()
    local command = Command.start({ "--wait", "1", server.url }, { input = "ask\n" })
    local conn = server:welcome()
    conn:receive_text()
    for i = 1, 4 do
      turn.never(function() return conn:has_input() end, "a close frame", 0.4)
      conn:text(tostring(i))
    end
    part(conn)
    assert.equal("1\n2\n3\n4\n", command:result().out)
  end)

  it("stays at the end of its input with --no-close", function()
    local server = Peer.listen()
    local command = Command.start({ "-n", server.url }, { input = "" })
    server:welcome():cut()
    local conn = server:welcome()
    turn.never(function() return conn:has_input() end, "a close frame", 1.5)
    conn:text "late"
    command:shows("out", "(late)")
  end)

  it("does not come back when all is sent and the server says goodbye", function()
    local server = Peer.listen()
    local command = Command.start({ "--wait", "10", server.url }, { input = "ask\n" })
    local conn = server:welcome()
    conn:receive_text()
    conn:text "answer"
    conn:close(1000)
    conn:receive_close()
    conn:finish()
    local result = command:result()
    assert.equal("answer\n", result.out)
    assert.equal(0, result.code)
    assert.equal(1, server:arrivals())
  end)

  it("goes on until its input is sent, however long there is no server", function()
    local server = Peer.listen()
    server:close()
    local command = Command.start({ server.url }, { input = "wait for it\n" })
    command:shows("err", "(connection refused[^\n]*; next attempt)")
    server:open_again()
    local conn = server:welcome()
    assert.equal("wait for it", conn:receive_text())
    part(conn)
    assert.equal(0, command:result().code)
  end)

  it("ends quietly when nobody reads its output any more", function()
    local server = Server.start()
    local result = run({ server:url "/count?n=100000&size=100" }, {
      from = "sleep 5",
      to = "head -n 2",
    })
    assert.equal(2, lines(result.out))
    assert.equal(0, result.code)
    assert.not_match("written", result.err)
  end)

  it("does without an input or an output that is closed", function()
    local server = Server.start()
    for _, closed in ipairs { "exec <&-;", "exec >&-;" } do
      local result = run({ "-x", "a", server:url() }, { input = "", environment = closed })
      assert.equal(0, result.code)
    end
  end)

  it("prints the help, and its version", function()
    local help = run({ "--help", "--json" }, { input = "" })
    assert.equal(0, help.code)
    assert.equal("", help.err)
    for _, name in ipairs { "--header 'NAME: VALUE'", "--ca FILE", "--confirm", "Exit codes:" } do
      assert(help.out:find(name, 1, true), name .. " is not in the help")
    end
    for line in help.out:gmatch "[^\n]+" do assert(#line < 100, line) end
    local version = run({ "-V" }, { input = "" })
    assert.match("^steadysocket %d+%.%d+%.%d+ %(libwebsockets %d[^,]*%w, ", version.out)
  end)
end)

describe("The command fails with one line that says what to do, and exit code", function()
  local missing = os.tmpname() .. ".pem"
  local help = "; steadysocket --help shows what there is"
  local give = "; give ws://HOST:PORT/PATH or wss://..."

  local cases = {
    { "2: an unknown option", { "--heder", "x", NOBODY }, "unknown option --heder" .. help },
    { "2: an unknown letter", { "-qz", NOBODY }, "unknown option -z" .. help },
    { "2: a value that is not there", { NOBODY, "--ca" }, "--ca has no value behind it" .. help },
    { "2: a value too many", { "--quiet=1", NOBODY }, "--quiet takes no value" .. help },
    { "2: no URL", {}, "there is no URL" .. help },
    { "2: an option behind --, which is a second URL", { NOBODY, "--", "-x" },
      "'-x' is a second URL (quote lines that have spaces)" .. help },
    { "2: text that is not UTF-8", { "-x", "\xFF", NOBODY },
      "--execute: the text is not UTF-8; with --binary any bytes are sent" },
    { "2: a second URL", { NOBODY, "b" },
      "'b' is a second URL (quote lines that have spaces)" .. help },
    { "2: no number", { "--ping", "often", NOBODY }, "--ping 'often': a number from 0 to 1e9 is expected"
      .. help },
    { "2: an empty number", { "--ping=", NOBODY }, "--ping '': a number from 0 to 1e9 is expected" .. help },
    { "2: an option that took the URL for its value", { "--proxy", NOBODY },
      "there is no URL: '" .. NOBODY .. "' is the value of --proxy" .. help },
    { "2: a certificate without its key", { "--cert", "/dev/null", NOBODY },
      "--cert and --key go together; give both" },
    { "2: a key without its certificate", { "--key", "/dev/null", NOBODY },
      "--cert and --key go together; give both" },
    { "2: a proxy that is none", { "--proxy", "h", NOBODY },
      'option --proxy is neither "env" nor the URL of a proxy: the URL does not begin with a scheme, as http://: '
        .. "known are http, https, socks5 and socks5h" .. help },
    { "2: no place to connect to", { "--connect-to", "h", NOBODY },
      "option --connect-to is not of the form host:port" .. help },
    { "2: an interval of no length", { "--ping=1e-9", NOBODY },
      "option --ping is 1e-09, a number from 0.001 to 1000000000 expected" .. help },
    { "2: no subprotocol", { "--protocol", "a b", NOBODY },
      'option --protocol has "a b", which is not a token (RFC 9110 section 5.6.2)' .. help },
    { "2: no header", { "-H", "Name", NOBODY },
      "--header 'Name' is not of the form 'NAME: VALUE'" },
    { "2: a header of the handshake", { "-H", "Host: x", NOBODY },
      "option --header Host belongs to the handshake and cannot be set" .. help },
    { "3: another kind of URL", { "http://h/" }, "'http://h/': the URL does not begin with ws:// or wss://" .. give },
    { "3: a URL with too few slashes", { "ws:/h" }, "'ws:/h': the URL does not begin with ws:// or wss://" .. give },
    { "3: a URL without slashes", { "wss:h" }, "'wss:h': the URL does not begin with ws:// or wss://" .. give },
    { "3: a URL without a colon", { "HTTP//h" }, "'HTTP//h': the URL does not begin with ws:// or wss://" .. give },
    { "3: a URL with the other slashes", { [[ws:\\h]] },
      [['ws:\\h': the URL does not begin with ws:// or wss://]] .. give },
    { "3: an empty URL", { "" }, "'': the URL has no host" .. give },
    { "3: a port that is none", { "h:x" }, "'h:x': the URL has a port that is not a number" .. give },
    { "3: an IPv6 address without brackets", { "::1" },
      "'::1': the URL has an IPv6 address that is not in brackets; give ws://[ADDRESS]:PORT/PATH or wss://..." },
    { "3: a path that is none", { "ws+unix:socket" },
      "'ws+unix:socket': the URL has no absolute path of a socket behind its scheme; give ws+unix:/SOCKET:/PATH" },
    { "4: a missing CA file", { "--ca", missing, NOBODY },
      ("--ca %s: No such file or directory; name a file that can be read"):format(missing) },
    { "1: a refused connection", { "--no-reconnect", NOBODY },
      NOBODY .. ": connection refused: nothing listens on that port; start the server, or check the "
        .. "port" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local result = run(case[2], { input = "" })
      assert.equal("steadysocket: " .. case[3] .. "\n", result.err)
      assert.equal("", result.out)
      assert.equal(tonumber(case[1]:match "%d"), result.code)
    end)
  end

  it("1: no attempt is left", function()
    local result = run({ "--max-attempts", "2", NOBODY }, { input = "a\n" })
    assert.equal(1, result.code)
    assert.equal(2, lines(result.err))
  end)

  it("1: the certificate is nobody's, and what helps does help", function()
    local server = Server.start { tls = certs.good }
    local result = run({ "--no-reconnect", server:url() }, { input = "a\n" })
    assert.equal(1, result.code)
    assert.match("; %-%-ca FILE trusts another authority, %-%-insecure any certificate\n", result.err)
    assert.equal("a\n", run({ "--ca", certs.ca, server:url() }, { input = "a\n" }).out)
    assert.equal("a\n", run({ "-k", server:url() }, { input = "a\n" }).out)
  end)

  it("1: and the advice fits what was found", function()
    -- A server that answers plain HTTP to whatever comes.
    local plain = io.popen([[exec /usr/bin/python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection = listener.accept()[0]
connection.recv(4096)
connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
connection.recv(4096)']])
    local url = "wss://127.0.0.1:" .. plain:read "l" .. "/"
    local result = run({ "--no-reconnect", url }, { input = "a\n" })
    plain:close()
    assert.equal(1, result.code)
    assert.match("is not TLS .*; a server without TLS is reached by ws://\n$", result.err)
    assert.is_nil(result.err:find("--ca", 1, true))

    for status, advice in pairs {
      ["404 Not Found"] = "; check the path, and what --header, --protocol and --origin say\n",
      ["502 Bad Gateway"] = "; try again later: the server, or one behind it, is in trouble\n",
      ["401 Unauthorized"] = "; give a user and password in the URL, or --header\n",
    } do
      local server = Peer.listen()
      local command = Command.start { "--no-reconnect", server.url }
      local conn = server:accept()
      conn:request()
      conn:reply("HTTP/1.1 " .. status, { ["Content-Length"] = "0" })
      conn:finish()
      assert.equal(advice, command:result().err:sub(-#advice))
    end
  end)

  it("1: the connection was lost, with --no-reconnect", function()
    local server = Peer.listen()
    local command = Command.start { "--no-reconnect", server.url }
    server:welcome():cut()
    assert.equal(1, command:result().code)
  end)

  it("1 or 0, as the server's close code is with --no-reconnect", function()
    for close, code in pairs { [1011] = 1, [1000] = 0 } do
      local server = Peer.listen()
      local command = Command.start { "--no-reconnect", server.url }
      local conn = server:welcome()
      conn:close(close)
      conn:receive_close()
      conn:finish()
      assert.equal(code, command:result().code)
    end
  end)

  it("5: a line that is not UTF-8, after all before it", function()
    local server = Peer.listen()
    local command = Command.start({ server.url }, { input = "a\n\xFF\nb\n" })
    local conn = server:welcome()
    assert.equal("a", conn:receive_text())
    part(conn)
    local result = command:result()
    assert.equal(5, result.code)
    assert.match("steadysocket: line 2 is not UTF%-8; send it with %-%-binary\n", result.err)
  end)

  it("5: a line without an end", function()
    local result = run({ NOBODY }, { from = "{ head -c 20000000 /dev/zero | tr '\\0' x; } 2>/dev/null" })
    assert.equal(5, result.code)
    assert.match("steadysocket: line 1 is longer than 16 MiB; split it\n", result.err)
  end)

  it("5: standard input that cannot be read", function()
    local server = Server.start()
    local result = run({ server:url() }, { input = "", environment = "exec < /;" })
    assert.equal(5, result.code)
    assert.match("standard input cannot be read: Is a directory\n$", result.err)
  end)

  it("5: standard output that is full", function()
    if not io.open "/dev/full" then return pending "there is no /dev/full" end
    local server = Server.start()
    local result = run({ server:url() }, { input = "a\n", environment = "exec > /dev/full;" })
    assert.equal(5, result.code)
    assert.match("standard output cannot be written: No space left on device; make room", result.err)
  end)
end)

describe("A signal", function()
  for name, code in pairs { INT = 130, TERM = 143 } do
    it("closes the connection in order: " .. name, function()
      local server = Peer.listen()
      local command = Command.start { server.url }
      local conn = server:welcome()
      command:shows("err", "(connected)")
      command:signal(name)
      assert.equal(1000, part(conn))
      assert.equal(code, command:result().code)
    end)
  end

  it("ends the command at once when it comes again", function()
    local server = Peer.listen()
    local command = Command.start { server.url }
    local conn = server:welcome()
    command:shows("err", "(connected)")
    command:signal "INT"
    conn:receive_close()
    command:signal "INT"
    assert.equal(130, command:result(2).code) -- and not after close_timeout
  end)

  it("ends it also while it waits for a server", function()
    local command = Command.start { NOBODY }
    command:shows("err", "(next attempt)")
    command:signal "INT"
    assert.equal(130, command:result().code)
  end)
end)

describe("The command, in a terminal,", function()
  -- The command with these options, the connection it has to a server of ours, and that server.
  local function meet(...)
    local server = Peer.listen()
    local words = { server.url, ... }
    local command = Command.start(words, { terminal = true, environment = "TERM=xterm" })
    return command, server:welcome(), server
  end

  -- What is on the screen after what was printed: "up one line and erase" takes the last two lines
  -- away. Colours are left out.
  local function screen(text)
    text = text:gsub("\27%[[%d;]*m", "")
    local before
    repeat
      before = text
      text = text:gsub("[^\n]*\n[^\n]*\r\27%[A\27%[J", "", 1)
    until text == before
    return (text:gsub("\r\n", "\n"))
  end

  local function shows(command, expected)
    turn.till(function()
      return screen(command:shown "out"):find(expected, 1, true)
    end, expected)
  end

  -- What stty does to the command's terminal, or says of it.
  local function stty(command, words)
    local pipe <close> = assert(io.popen(("stty -F /proc/%d/fd/0 %s"):format(command:pid(), words)))
    return pipe:read "a"
  end

  -- Some containers have no pseudo-terminals.
  local has_terminal = os.execute "LD_PRELOAD= script -qec true /dev/null >/dev/null 2>&1"
  local function terminal(description, fn)
    it(description, function()
      if not has_terminal then return pending "script (util-linux) makes no terminal here" end
      fn()
    end)
  end

  terminal("keeps what is being typed whole when messages come", function()
    local command, conn = meet()
    command:write "half a li"
    shows(command, "> half a li")
    conn:text "first\27[2J"
    conn:text "second"
    shows(command, "\n< first?[2J\n< second\nopen  sent 0  received 2\n> half a li")
    command:write "ne\n"
    assert.equal("half a line", conn:receive_text())
    shows(command, "\n> half a line\nopen  sent 1  received 2\n> ")
    conn:binary "\0\xFF"
    shows(command, "\n< binary, 2 bytes: 00 ff\n")
  end)

  terminal("tells what happens, with the state in the status line", function()
    local command, conn, server = meet("--ping", "0.05")
    local ping = conn:receive_frame()
    conn:pong(ping.payload)
    shows(command, "\nopen  latency ")
    server:close()
    conn:cut()
    shows(command, "\nconnection lost (code 1006); next attempt in ")
    shows(command, "\nwaiting  next attempt in ")
    command:write "later\n"
    shows(command, "queued 1")
  end)

  terminal("edits the line", function()
    local command, conn = meet()
    command:write "held\27[D\27[3~l\27[F?\127o\n"
    assert.equal("hello", conn:receive_text())
    command:write "gone\21\27[Aagain two\23three\n"
    assert.equal("helloagain three", conn:receive_text())
    command:write "\xE4\xBD\xA0\xE5\xA5\xBD\127\n"
    assert.equal("\xE4\xBD\xA0", conn:receive_text())
  end)

  terminal("shows the cursor in the middle of the line, and waits for the rest of a key", function()
    local command, conn = meet()
    command:write "a\xE5\xA5\xBDc\27[D\27[D"
    shows(command, "> a\xE5\xA5\xBDc\27[3D") -- one of the two is two columns wide
    command:write "b\27"
    shows(command, "> ab\xE5\xA5\xBDc\27[3D")
    command:write "[D\27xd\n" -- Left; Alt-x, which does nothing; d
    assert.equal("adb\xE5\xA5\xBDc", conn:receive_text())
  end)

  terminal("fits the line into the window, each time its size changes", function()
    local command = meet()
    local line = ("0123456789"):rep(6)
    command:write(line)
    shows(command, "> " .. line)
    for _, columns in ipairs { 50, 40 } do
      stty(command, "cols " .. columns)
      shows(command, "\n> " .. line:sub(-(columns - 3)))
    end
  end)

  terminal("takes the terminal over again when it goes on after a stop", function()
    local command = meet()
    command:write "half"
    shows(command, "> half")
    stty(command, "icanon echo") -- as a shell has it meanwhile
    command:signal "CONT"
    turn.till(function()
      local settings = stty(command, "-a")
      return settings:find "%-icanon" and settings:find "%-echo%f[^%w]"
    end, "keys one by one")
    turn.till(function()
      return select(2, screen(command:shown "out"):gsub("> half", "")) == 2
    end, "the line to be drawn again")
  end)

  terminal("ends with Ctrl-D, and gives the terminal back", function()
    local command, conn = meet()
    shows(command, "open")
    command:write "\4"
    assert.equal(1000, part(conn))
    assert.equal(0, command:result().code)
    assert.match("closed %(code 1000%)\n$", screen(command:shown "out"))
  end)

  terminal("closes in order with Ctrl-C", function()
    local command, conn = meet()
    shows(command, "open")
    command:write "\3"
    assert.equal(1000, part(conn))
    assert.equal(130, command:result().code)
  end)

  terminal("ends at once with a second Ctrl-C", function()
    local command, conn = meet()
    shows(command, "open")
    command:write "\3"
    conn:receive_close()
    command:write "\3"
    assert.equal(130, command:result(2).code)
  end)
end)
