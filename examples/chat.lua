-- A chat in the terminal: lines of standard input are sent, messages are printed.
--
--   lua5.4 examples/chat.lua [URL]
--
-- Ctrl-D, or the end of the input, ends it once all is sent; answers are not waited for. Needs luv,
-- which reads a terminal or a pipe without blocking. Messages land in the middle of what you type.
-- The command, `steadysocket URL`, keeps them apart and waits for answers.

local WebSocket = require "steadysocket"
local uv = require "luv"

require("steadysocket.luv").attach()
io.stdout:setvbuf "line"

local ws = WebSocket.new {
  url = arg[1] or "ws://localhost:8080/",
  name = "chat",
  -- Without control characters: they could command the terminal.
  on_message = function(data) print("< " .. data:gsub("%c", "?")) end,
  on_open = function(event) print("* connected to " .. event.url) end,
  on_close = function(event) print(("* connection ended (code %d)"):format(event.code)) end,
  on_error = function(event) print("* " .. event.message) end,
}
ws:connect()

local function say(line)
  local ok, message = ws:send(line)
  if not ok then print("* not sent: " .. message) end
end

local input, rest = nil, ""

local function take(_, chunk)
  local text, from = rest .. (chunk or ""), 1
  for newline in text:gmatch "()\n" do
    say(text:sub(from, newline - 1))
    from = newline + 1
  end
  rest = text:sub(from)
  if chunk then return end

  if rest ~= "" then say(rest) end
  if input then input:close() end
  WebSocket.spawn(function()
    ws:flush() -- since close() drops what still waits for the first connection
    ws:close()
  end)
end

local kind = uv.guess_handle(0)
if kind == "file" then
  take(nil, io.read "a")
  take()
else
  input = kind == "tty" and uv.new_tty(0, true) or uv.new_pipe(false)
  if kind ~= "tty" then input:open(0) end
  input:read_start(take)
end

uv.run()
