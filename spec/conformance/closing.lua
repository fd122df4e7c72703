-- RFC 6455 sections 5.5.1 and 7: the end of a connection. cases.lua says what is in a case.

local row = require "conformance.row"
local wire = require "support.wire"

local frame, reason = wire.frame, wire.reason

-- A close frame of the server's that is good.
local function closed(name, code, text, behind)
  return {
    name = name,
    says = { frame("text", "before") .. frame("close", code and reason(code, text) or "") .. (behind or "") },
    ends = "wait",
    messages = { { "text", "before" } },
    told = { code or 1005, text or "" },
  }
end

local function breaks(name, payload, codes)
  return {
    name = name,
    says = { frame("close", payload) },
    fails = codes,
  }
end

local good_codes = {}
for _, code in ipairs {
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
} do
  good_codes[#good_codes + 1] = closed(tostring(code), code, "")
end

local bad_codes = {}
for _, code in ipairs {
  0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 32768, 65535,
} do
  bad_codes[#bad_codes + 1] = breaks(tostring(code), reason(code), { 1002 })
end

local bad_reasons = {}
for name, text in pairs {
  ["a byte that is none"] = "\xFF",
  ["a surrogate"] = "\xED\xA0\x80",
  ["too long a form"] = "\xC0\x80",
  ["a character that is cut"] = "bye \xE2\x82",
  ["over U+10FFFF"] = "\xF4\x90\x80\x80",
} do
  bad_reasons[#bad_reasons + 1] = breaks(name, reason(1000, text), { 1007, 1002 })
end
table.sort(bad_reasons, function(a, b) return a.name < b.name end)

local FULL = ("reason "):rep(18):sub(1, 123)

local function client_closes(name, code, text, more)
  local case = {
    name = name,
    says = {
      frame("text", "close now"),
      function(line)
        line:hear(function() return false end)
        line:send((more or "") .. frame("close", reason(code, "seen")))
      end,
    },
    ends = "wait",
    closes = { code, text },
    messages = { { "text", "close now" } },
    told = { code, "seen" },
  }
  return case
end

local talks_on = client_closes("a message that is under way is still delivered", 1000, "",
  frame("text", "late"))
talks_on.messages = { { "text", "close now" }, { "text", "late" } }

local both = {
  name = "both at once",
  says = {
    frame("text", "close now") .. frame("close", reason(1001, "theirs")),
  },
  ends = "wait",
  messages = { { "text", "close now" } },
  told = { 1001, "theirs" },
}

-- It is the server's part to end TCP (7.1.1); 0.2 s are enough to see who does it here.
local waits = closed("0.2 s", 1000, "")
table.insert(waits.says, function(line)
  line:hear(function() return false end)
  line.record.closed = false
  line:hear(function() return false end, 0.2)
  line.record.early = line.record.ended
  line.record.closed = true
end)
waits.check = function(record) return record.early and "ends TCP first" or nil end

-- By then the client has answered the close frame.
local later = closed("a text and a ping in a later segment", 1000, "")
table.insert(later.says, function(line)
  line:hear(function() return false end)
  line:send(frame("text", "too late") .. frame("ping", "too late"))
end)

return {
  {
    title = "Close frames",
    row("6455", "5.5.1", "MUST", "A close frame is answered, with its code, and nothing but that follows", {
      closed("with a code", 1000, ""),
      closed("with a reason", 1000, "bye"),
      closed("with a reason in another script", 1000, "再见 до свидания"),
      closed("with a reason of 123 bytes", 1000, FULL),
      closed("with nothing", nil, nil),
      {
        name = "a byte at a time",
        says = { frame("close", reason(1001, "slowly")) },
        piece = 1,
        ends = "wait",
        told = { 1001, "slowly" },
      },
    }),
    row("6455", "5.5.1", "MUST NOT be sent", "What comes behind a close frame is dropped", {
      closed("a text", 1000, "", frame("text", "too late")),
      closed("a ping, which gets no pong", 1000, "", frame("ping", "too late")),
      closed("half a frame", 1000, "", frame("text", "too late"):sub(1, 4)),
      closed("another close frame", 1000, "", frame("close", reason(1001, "again"))),
      closed("what is no frame", 1000, "", ("\xFF"):rep(100)),
      later,
      closed("much of it", 1000, "", frame("text", ("x"):rep(1000)):rep(100)),
    }),
    row("6455", "5.5.1", "MUST NOT be sent", "A close frame with one byte, half a code, fails the connection", {
      breaks("0x03", "\3", { 1002 }),
      breaks("0x00", "\0", { 1002 }),
    }),
    row("6455", "8.1", "MUST", "A close reason that is not UTF-8 fails it", bad_reasons),
  },
  {
    title = "The end of a connection",
    row("6455", "7.1.1", "SHOULD", "After the close frames the client leaves it to the server to end TCP", { waits }),
    row("6455", "7.1.2", "MUST", "The client can begin the closing handshake", {
      client_closes("1000", 1000, ""),
      client_closes("3000 with a reason", 3000, "done"),
      client_closes("4999 with a reason of 123 bytes", 4999, FULL),
      talks_on,
      both,
    }),
    row("6455", "7.1.5", "MUST", "A connection that ends without a close frame is told with code 1006", {
      { name = "at once", ends = "tcp", told = { 1006, "" } },
      {
        name = "behind a message",
        says = { frame("text", "last") },
        ends = "tcp",
        messages = { { "text", "last" } },
        told = { 1006, "" },
      },
      { name = "in a header", says = { "\x81" }, ends = "tcp", told = { 1006, "" } },
      { name = "in a payload", says = { frame("text", "cut"):sub(1, 4) }, ends = "tcp", told = { 1006, "" } },
      {
        name = "between fragments",
        says = { frame("text", "cut", { fin = false }) },
        ends = "tcp",
        told = { 1006, "" },
      },
    }),
    row("6455", "7.1.5", "MUST", "A close frame counts also where TCP ends right behind it", {
      {
        name = "1001",
        says = { frame("close", reason(1001, "now")) },
        ends = "tcp",
        told = { 1001, "now" },
      },
    }),
    row("6455", "7.4", "MUST", "Close codes that may be sent are taken and told", good_codes),
    row("6455", "7.4", "MUST NOT be sent", "Close codes that may not fail the connection", bad_codes),
  },
}
