-- What a client did in a case, beside what it should have done.

local inflate = require "support.inflate"
local server = require "conformance.server"

local judge = {}

local SHOWN = 24 -- bytes of a payload in a text
local FLUSH = "\0\0\255\255" -- what RFC 7692 section 7.2.1 leaves out

local function show(data)
  if #data > SHOWN then return ("%d bytes"):format(#data) end
  if utf8.len(data) and not data:find "%c" then return '"' .. data .. '"' end
  return (data:gsub(".", function(byte) return ("%02X "):format(byte:byte()) end):sub(1, -2))
end

--------------------------------------------------------------------------------------------------
-- What the client said

-- Readings of DEFLATE data, which come up again and again: they take their time in Lua.
local known = {}

local function inflated(payload, history, window)
  local key = ("%d %d %s%s"):format(window, #history, history, payload)
  if not known[key] then
    local fine, text = pcall(inflate, payload .. FLUSH, history, window)
    known[key] = { fine, text }
  end
  return table.unpack(known[key])
end

local function close_fault(payload)
  if payload == "" then return nil end
  if #payload < 2 then return "a close frame with half a code" end
  local code = (">I2"):unpack(payload)
  if code < 1000 or code == 1004 or code == 1005 or code == 1006 or code == 1015 or code >= 5000 then
    return ("a close frame with code %d"):format(code)
  end
  if not utf8.len(payload, 3) then return "a close reason that is not UTF-8" end
end

-- What is wrong with a frame by itself.
local function frame_fault(frame, agreed)
  local control = frame.opcode >= 8
  if not frame.masked then return "an unmasked frame" end
  if not frame.shortest then return "a length that is not in its shortest form" end
  if frame.opcode > 2 and frame.opcode < 8 or frame.opcode > 10 then return "a reserved opcode" end
  local compressed = agreed and (frame.opcode == 1 or frame.opcode == 2) and 4 or 0
  if frame.rsv & ~compressed ~= 0 then return "a reserved bit" end
  if control and not frame.fin then return "a fragmented control frame" end
  if control and #frame.payload > 125 then return "a long control frame" end
  if frame.opcode == 8 then return close_fault(frame.payload) end
end

-- Puts the client's fragments together, and inflates; faults go to note().
local function messages_of(frames, agreed, note)
  local messages, message, history = {}, nil, ""
  local function take(frame)
    message.payload = message.payload .. frame.payload
    if not frame.fin then return end
    local data = message.payload
    if message.compressed then
      local window = 1 << agreed.bits
      local fine, text = inflated(data, history, window)
      if not fine then note("sends DEFLATE data that breaks RFC 1951 or the agreement") end
      data = fine and text or ""
      history = agreed.takeover and (history .. data):sub(-window) or ""
    end
    if message.kind == "text" and not utf8.len(data) then note("sends text that is not UTF-8") end
    table.insert(messages, { message.kind, data })
    message = nil
  end
  for _, frame in ipairs(frames) do
    if frame.opcode == 0 then
      if message then take(frame) else note("continues no message") end
    elseif frame.opcode < 3 then
      if message then note("begins a message in a message") end
      local kind = frame.opcode == 1 and "text" or "binary"
      message = { kind = kind, payload = "", compressed = frame.rsv & 4 ~= 0 }
      take(frame)
    end
  end
  return messages
end

-- The whole of what the client sent, sorted: { messages, pongs, pings, close = payload }.
local function said_by(record, agreed, note)
  local said = { pongs = {} }
  for _, frame in ipairs(record.frames) do
    local fault = frame_fault(frame, agreed)
    if fault then note("sends " .. fault) end
    if said.close and frame.opcode < 8 then note("sends data after its close frame") end
    if frame.opcode == 8 and said.close then note("sends two close frames") end
    if frame.opcode == 8 then said.close = said.close or frame.payload end
    if frame.opcode == 10 then table.insert(said.pongs, frame.payload) end
  end
  said.messages = messages_of(record.frames, agreed, note)
  return said
end

--------------------------------------------------------------------------------------------------
-- Beside what is asked

local function same_message(a, b)
  return a and b and a[1] == b[1] and a[2] == b[2]
end

-- Notes where the lists part: verb and negated are as "sends" and "does not send".
local function compare_messages(verb, negated, got, expected, note)
  for i = 1, math.max(#got, #expected) do
    if not same_message(got[i], expected[i]) then
      local what, message = verb, got[i]
      if not message then what, message = negated, expected[i] end
      return note(("%s %s %s"):format(what, message[1], show(message[2])))
    end
  end
end

-- Section 5.5.3: of several pings that wait the last one may be the only one to be answered.
local function check_pongs(got, expected, note)
  local at = 1
  for _, payload in ipairs(got) do
    while at <= #expected and expected[at] ~= payload do at = at + 1 end
    if at > #expected then return note("sends a pong " .. show(payload)) end
    at = at + 1
  end
  if #expected > 0 and got[#got] ~= expected[#expected] then
    note("does not answer the ping " .. show(expected[#expected]))
  end
end

local function code_of(payload)
  return #payload >= 2 and (">I2"):unpack(payload) or nil
end

-- The server's last close frame has 1000, and is answered where nothing was noticed before it.
local function goes_on(said)
  return said.close and code_of(said.close) == 1000
end

local function check_failure(case, record, said, note, allowed)
  local code = said.close and code_of(said.close)
  if not said.close and not record.ended then return note "waits for more" end
  if not said.close then return allowed "ends TCP without a close frame" end
  for _, good in ipairs(case.fails) do
    if code == good then return end
  end
  allowed(code and ("closes with %d"):format(code) or "closes without a code")
end

-- A close frame of the server's is answered, in the server's words; and the program hears of it.
local function check_close(case, said, told, note, allowed)
  local code, reason = table.unpack(case.told or { 1000, "" })
  if case.closes then
    local expected = (">I2"):pack(case.closes[1]) .. case.closes[2]
    if said.close ~= expected then note "does not send the close frame" end
  elseif case.ends ~= "tcp" then
    local sent = said.close and (code_of(said.close) or 1005)
    if not sent then
      note "does not answer the close frame"
    elseif sent ~= code then
      allowed(("closes with %d"):format(sent))
    end
  end
  local close = told.close or {}
  if close[1] ~= code then note(("tells code %s"):format(close[1])) end
  if close[2] ~= reason then note(("tells the reason %s"):format(show(close[2] or ""))) end
end

local function expected_messages(case)
  local messages = { table.unpack(case.messages or {}) }
  if not case.fails and not case.echo and case.ends == nil then
    messages[#messages + 1] = { "text", server.behind }
  end
  return messages
end

local function check_open(case, record, told, note, allowed)
  local said = said_by(record, case.agreed, note)
  if case.fails and goes_on(said) then return note "goes on" end
  if not case.fails and not said.close and record.ended and case.ends ~= "tcp" then
    return note "ends TCP without a close frame"
  end
  compare_messages("delivers", "does not deliver", told.messages, expected_messages(case), note)
  if case.echo then
    compare_messages("sends", "does not send", said.messages, case.messages, note)
  end
  if not case.fails or case.pongs then check_pongs(said.pongs, case.pongs or {}, note) end
  if case.fails then
    check_failure(case, record, said, note, allowed)
  else
    check_close(case, said, told, note, allowed)
  end
end

--- What is not as the case has it: a list of { what, breaks }, breaks being whether that is a breach of
--- the standard and not of what it recommends. record: the server's; told: the client's.
function judge.differences(case, record, told)
  local list = {}
  local function note(what) table.insert(list, { what = what, breaks = true }) end
  local function allowed(what) table.insert(list, { what = what, breaks = false }) end
  if not record then
    note "does not connect"
  elseif case.refused then
    if told.opened then note "opens" end
  elseif not told.opened then
    note "fails the handshake"
  else
    check_open(case, record, told, note, allowed)
  end
  local more = record and case.check and case.check(record, told)
  if more then note(more) end
  return list
end

--- What came of an answer that may open the connection.
function judge.outcome(record, told)
  if record.redirected then return "follows" end
  return told.opened and "opens" or "fails"
end

return judge
