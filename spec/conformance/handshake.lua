-- RFC 6455 section 4: the opening handshake. cases.lua says what is in a case.

local Peer = require "support.peer"
local mime = require "mime"
local row = require "conformance.row"
local wire = require "support.wire"

local GOOD = { "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade" }

-- An answer of lines of ours: the function gets the good value for Sec-WebSocket-Accept.
local function raw(write)
  return function(_, accept) return write("Sec-WebSocket-Accept: " .. accept, accept) end
end

local function lines(...)
  return table.concat({ ... }, "\r\n") .. "\r\n\r\n"
end

-- The good answer with another status line.
local function status_line(line)
  return raw(function(accept) return lines(line, GOOD[2], GOOD[3], accept) end)
end

local GOOD_ANSWER = status_line(GOOD[1])

local function headers(changes)
  return { headers = changes }
end

--------------------------------------------------------------------------------------------------
-- The request

local function asks(check)
  return { { check = function(record) return check(record.request, record.request.headers) end } }
end

local function lists(value, token)
  for member in (value or ""):gmatch "[^,%s]+" do
    if member:lower() == token then return true end
  end
  return false
end

local requests = {
  title = "The request",
  row("6455", "4.1", "MUST", "The request is a GET in HTTP/1.1", asks(function(request)
    return not request.line:find "^GET /%S* HTTP/1%.1$" and request.line or nil
  end)),
  row("6455", "4.1", "MUST", "It has a Host header with the port, where that is not the scheme's",
    asks(function(_, fields)
      return not (fields.host or ""):find "^127%.0%.0%.1:%d+$" and tostring(fields.host) or nil
    end)),
  row("6455", "4.1", "MUST", "It lists `websocket` in Upgrade, `Upgrade` in Connection",
    asks(function(_, fields)
      local good = lists(fields.upgrade, "websocket") and lists(fields.connection, "upgrade")
      return not good and "does not" or nil
    end)),
  row("6455", "4.1", "MUST", "Its Sec-WebSocket-Key is 16 bytes in base64, Sec-WebSocket-Version is 13",
    asks(function(_, fields)
      local key = fields["sec-websocket-key"] or ""
      local good = #key == 24 and #(mime.unb64(key) or "") == 16
      return not (good and fields["sec-websocket-version"] == "13") and "does not" or nil
    end)),
  row("6455", "4.1", "MUST", "It offers the subprotocols in their order, each once", {
    {
      protocols = { "chat.v2", "chat.v1", "mqtt" },
      answer = { protocol = "chat.v1" },
      check = function(record)
        local offer = record.request.headers["sec-websocket-protocol"]
        if type(offer) == "table" then offer = table.concat(offer, ",") end
        return (offer or ""):gsub("%s", "") ~= "chat.v2,chat.v1,mqtt" and tostring(offer) or nil
      end,
    },
  }),
}

--------------------------------------------------------------------------------------------------
-- Answers that are as they should be

local function either(list)
  for _, case in ipairs(list) do case.either = true end
  return list
end

-- Headers that a client has no use for, some of them with names that others begin with.
local strangers = {}
for _, name in ipairs {
  "Server", "X-Request-Id", "Foo", "A", "Set", "X", "X-A", "X-Auth", "Sec-WebSocket",
} do
  table.insert(strangers, { name = name, answer = headers { [name] = "stranger" } })
end

local ALL_AT_ONCE = wire.frame("text", "one") .. wire.frame("ping", "two") .. wire.frame("binary", "three")

local accepted = {
  title = "Answers that open the connection",
  row("6455", "4.1", "MUST", "A good answer opens the connection, however it is written", {
    { name = "as usual" },
    { name = "header names in another case", answer = headers { ["UPGRADE"] = "websocket" } },
    { name = "`WebSocket`", answer = headers { ["Upgrade"] = "WebSocket" } },
    { name = "`upgrade`", answer = headers { ["Connection"] = "upgrade" } },
    { name = "`keep-alive, Upgrade`", answer = headers { ["Connection"] = "keep-alive, Upgrade" } },
    {
      name = "two Connection headers",
      answer = headers { ["Connection"] = { "keep-alive", "Upgrade" } },
    },
    { name = "another reason", answer = { status = "HTTP/1.1 101 Web Socket Protocol Handshake" } },
    { name = "an empty reason", answer = { status = "HTTP/1.1 101 " } },
    {
      name = "no blanks before the values",
      answer = raw(function(_, accept)
        return lines(GOOD[1], "Upgrade:websocket", "Connection:Upgrade", "Sec-WebSocket-Accept:" .. accept)
      end),
    },
    { name = "blanks behind `websocket`", answer = headers { ["Upgrade"] = "websocket \t" } },
    { name = "blanks behind `Upgrade`", answer = headers { ["Connection"] = "Upgrade \t" } },
    {
      name = "blanks around Sec-WebSocket-Accept",
      answer = raw(function(_, accept)
        return lines(GOOD[1], GOOD[2], GOOD[3], "Sec-WebSocket-Accept: \t" .. accept .. " \t")
      end),
    },
    { name = "one byte at a time", answer = GOOD_ANSWER, answer_piece = 1 },
    { name = "in pieces of 40 bytes", answer = GOOD_ANSWER, answer_piece = 40 },
    { name = "a subprotocol that was offered", protocols = { "a", "b" }, answer = { protocol = "b" } },
  }),
  row("6455", "4.2.2", "MAY", "A server that takes none of the subprotocols is taken", either {
    { name = "no header", protocols = { "a", "b" } },
  }),
  row("6455", "4.1", "MUST", "Headers that have nothing to do with it are skipped", strangers),
  row("6455", "4.1", "MUST", "Frames in the same segment as the answer are read", {
    {
      name = "three frames",
      answer = { extra = ALL_AT_ONCE },
      messages = { { "text", "one" }, { "binary", "three" } },
      pongs = { "two" },
    },
    {
      name = "half of one",
      answer = { extra = ALL_AT_ONCE:sub(1, 3) },
      says = { ALL_AT_ONCE:sub(4) },
      messages = { { "text", "one" }, { "binary", "three" } },
      pongs = { "two" },
    },
    {
      name = "100,000 bytes",
      answer = { extra = wire.frame("binary", ("0123456789"):rep(10000)) },
      messages = { { "binary", ("0123456789"):rep(10000) } },
    },
  }),
}

--------------------------------------------------------------------------------------------------
-- Answers that are not

local function refused(list)
  for _, case in ipairs(list) do case.refused = true end
  return list
end

local statuses = {}
for _, line in ipairs {
  "200 OK", "204 No Content", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
  "407 Proxy Authentication Required", "426 Upgrade Required", "500 Internal Server Error",
  "503 Service Unavailable",
} do
  statuses[#statuses + 1] = {
    name = line:match "%d+",
    answer = function() return lines("HTTP/1.1 " .. line, "Content-Length: 6") .. "denied" end,
    ends = "wait",
  }
end
table.insert(statuses, {
  name = "200 with all that a 101 would have",
  answer = status_line "HTTP/1.1 200 OK",
})
table.insert(statuses, {
  name = "404 and the end of the connection behind its body",
  answer = function() return lines("HTTP/1.1 404 Not Found", "Connection: close") .. "denied" end,
  ends = "tcp",
})

local function redirect(status)
  return {
    name = tostring(status),
    refused = true,
    either = true,
    ends = "tcp",
    answer = function(request)
      local to = ("ws://%s%s?redirected"):format(request.headers.host, request.path)
      return lines(("HTTP/1.1 %d Moved"):format(status), "Location: " .. to, "Content-Length: 0")
    end,
  }
end

local function broken_accept(value)
  return raw(function(_, accept)
    return lines(GOOD[1], GOOD[2], GOOD[3], "Sec-WebSocket-Accept: " .. value(accept))
  end)
end

local OTHER = Peer.accept_value "another key"

local function ends_after(text)
  return { name = text == "" and "at once" or nil, answer = function() return text end, ends = "tcp" }
end

local function extension(value)
  return {
    name = "`" .. value .. "`",
    compression = {},
    answer = headers { ["Sec-WebSocket-Extensions"] = value },
  }
end

local refusals = {
  title = "Answers that do not",
  row("6455", "4.1", "MUST", "A status other than 101 does not open the connection", refused(statuses)),
  row("6455", "4.1", "MAY", "A redirect is followed", { redirect(301), redirect(302), redirect(307) }),
  row("6455", "4.1", "MUST", "An Upgrade header that is missing or not `websocket` fails it", refused {
    { name = "missing", answer = headers { ["Upgrade"] = false } },
    { name = "empty", answer = headers { ["Upgrade"] = "" } },
    { name = "`h2c`", answer = headers { ["Upgrade"] = "h2c" } },
    { name = "`websocket2`", answer = headers { ["Upgrade"] = "websocket2" } },
    { name = "`websocke`", answer = headers { ["Upgrade"] = "websocke" } },
  }),
  row("6455", "4.1", "MUST", "A Connection header that is missing or does not list `Upgrade` fails it", refused {
    { name = "missing", answer = headers { ["Connection"] = false } },
    { name = "empty", answer = headers { ["Connection"] = "" } },
    { name = "`keep-alive`", answer = headers { ["Connection"] = "keep-alive" } },
    { name = "`close`", answer = headers { ["Connection"] = "close" } },
    { name = "`Upgraded`", answer = headers { ["Connection"] = "Upgraded" } },
    { name = "`not Upgrade`", answer = headers { ["Connection"] = "not Upgrade" } },
  }),
  row("6455", "4.1", "MUST", "A Sec-WebSocket-Accept header that is missing or wrong fails it", refused {
    { name = "missing", answer = headers { ["Sec-WebSocket-Accept"] = false } },
    { name = "empty", answer = broken_accept(function() return "" end) },
    { name = "of another key", answer = broken_accept(function() return OTHER end) },
    { name = "in another case", answer = broken_accept(string.lower) },
    { name = "cut", answer = broken_accept(function(accept) return accept:sub(1, -2) end) },
    { name = "with more behind it", answer = broken_accept(function(accept) return accept .. "x" end) },
    { name = "in quotes", answer = broken_accept(function(accept) return '"' .. accept .. '"' end) },
    {
      name = "the key itself",
      answer = function(request)
        return lines(GOOD[1], GOOD[2], GOOD[3],
          "Sec-WebSocket-Accept: " .. request.headers["sec-websocket-key"])
      end,
    },
  }),
  row("6455", "11.3.3", "MUST", "Sec-WebSocket-Accept twice fails it", refused {
    {
      name = "both right",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], accept, accept) end),
    },
    {
      name = "the right one first",
      answer = raw(function(accept)
        return lines(GOOD[1], GOOD[2], GOOD[3], accept, "Sec-WebSocket-Accept: " .. OTHER)
      end),
    },
    {
      name = "the wrong one first",
      answer = raw(function(accept)
        return lines(GOOD[1], GOOD[2], GOOD[3], "Sec-WebSocket-Accept: " .. OTHER, accept)
      end),
    },
  }),
  row("6455", "4.1", "MUST", "A subprotocol that was not offered fails it", refused {
    { name = "none was offered", answer = { protocol = "chat" } },
    { name = "another", protocols = { "chat" }, answer = { protocol = "mqtt" } },
    { name = "in another case", protocols = { "chat" }, answer = { protocol = "Chat" } },
    { name = "two of them", protocols = { "a", "b" }, answer = { protocol = "a, b" } },
    {
      name = "two headers",
      protocols = { "a", "b" },
      answer = headers { ["Sec-WebSocket-Protocol"] = { "a", "b" } },
    },
  }),
  row("6455", "4.1", "MUST", "An extension that was not offered fails it", refused {
    {
      name = "none was offered",
      answer = headers { ["Sec-WebSocket-Extensions"] = "permessage-deflate" },
    },
    {
      name = "another",
      compression = {},
      answer = headers { ["Sec-WebSocket-Extensions"] = "permessage-bzip2" },
    },
    {
      name = "another behind the one that was",
      compression = {},
      answer = headers { ["Sec-WebSocket-Extensions"] = "permessage-deflate, x-unasked" },
    },
  }),
  row("6455", "9.1", "MUST", "What is no list of extensions fails it", refused {
    extension "permessage-deflate; ; =1",
    extension "permessage-deflate;",
    extension "permessage-deflate; server_no_context_takeover=",
    extension "permessage-deflate permessage-deflate",
    extension "=",
  }),
  row("6455", "11.3.2", "MUST NOT be sent", "An extension twice fails it", refused {
    extension "permessage-deflate, permessage-deflate",
    {
      name = "two headers",
      compression = {},
      answer = headers { ["Sec-WebSocket-Extensions"] = { "permessage-deflate", "permessage-deflate" } },
    },
  }),
  row("6455", "4.1", "MUST", "What is no HTTP status line does not open it", refused {
    { name = "`HTTP/1.1 1010`", answer = status_line "HTTP/1.1 1010 Switching Protocols" },
    { name = "`HTTP/1.1 10`", answer = status_line "HTTP/1.1 10 Switching Protocols" },
    { name = "`HTTP/1.1 +101`", answer = status_line "HTTP/1.1 +101 Switching Protocols" },
    { name = "`HTTP/1.1 0101`", answer = status_line "HTTP/1.1 0101 Switching Protocols" },
    { name = "`HTTP/1.1 101x`", answer = status_line "HTTP/1.1 101x Switching Protocols" },
    { name = "`HTTP/1.1 one`", answer = status_line "HTTP/1.1 one Switching Protocols" },
    { name = "`ICY 101`", answer = status_line "ICY 101 OK" },
    { name = "`101 Switching Protocols`", answer = status_line "101 Switching Protocols" },
    { name = "none", answer = raw(function(accept) return lines(GOOD[2], GOOD[3], accept) end) },
    { name = "a frame", answer = function() return wire.frame("text", "hello") end, ends = "tcp" },
    { name = "an SSH server", answer = function() return "SSH-2.0-OpenSSH_9.2\r\n" end, ends = "tcp" },
  }),
  row("9110", "15.2", "MUST NOT be sent", "A 101 in another version of HTTP does not open it", refused {
    { name = "HTTP/1.0", answer = status_line "HTTP/1.0 101 Switching Protocols" },
    { name = "HTTP/0.9", answer = status_line "HTTP/0.9 101 Switching Protocols" },
    { name = "HTTP/2.0", answer = status_line "HTTP/2.0 101 Switching Protocols" },
  }),
  row("6455", "4.1", "MUST", "A connection that ends before the answer has ended does not open", refused {
    ends_after "",
    { name = "in the status line", answer = ends_after("HTTP/1.1 1").answer, ends = "tcp" },
    { name = "in a header", answer = ends_after(GOOD[1] .. "\r\nUpgrade: webs").answer, ends = "tcp" },
    {
      name = "before the empty line",
      ends = "tcp",
      answer = raw(function(accept)
        return (lines(GOOD[1], GOOD[2], GOOD[3], accept):sub(1, -3))
      end),
    },
  }),
  row("6455", "4.1", "MAY", "A server that stays silent is given up, here after 0.2 s", refused {
    { name = "no answer", answer = function() return "" end, ends = "wait", timeout = 0.2 },
    {
      name = "half an answer",
      answer = function() return GOOD[1] .. "\r\nUpgr" end,
      ends = "wait",
      timeout = 0.2,
    },
  }),
}

local liberties = {
  title = "The answer as HTTP",
  row("9110", "15.2", "MUST", "Other answers of the class 1xx before the 101 are skipped", {
    {
      name = "100",
      answer = raw(function(accept)
        return "HTTP/1.1 100 Continue\r\n\r\n" .. lines(GOOD[1], GOOD[2], GOOD[3], accept)
      end),
    },
    {
      name = "103",
      answer = raw(function(accept)
        return "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
          .. lines(GOOD[1], GOOD[2], GOOD[3], accept)
      end),
    },
  }),
  row("9112", "6.3", "MUST", "A 101 ends at its empty line, whatever it announces", {
    { name = "Content-Length: 0", answer = headers { ["Content-Length"] = "0" } },
    { name = "Content-Length: 5", answer = headers { ["Content-Length"] = "5" } },
    { name = "chunks", answer = headers { ["Transfer-Encoding"] = "chunked" } },
  }),
  row("9112", "5.2", "MUST", "A header that is folded over two lines is read as one", {
    {
      name = "Sec-WebSocket-Accept",
      answer = raw(function(_, accept)
        return lines(GOOD[1], GOOD[2], GOOD[3], "Sec-WebSocket-Accept:\r\n " .. accept)
      end),
    },
    {
      name = "a header that it does not know",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], "X-A: b\r\n\tc", accept) end),
    },
  }),
  row("9112", "2.2", "MAY", "Lines that end with LF alone are read", either {
    {
      name = "all",
      answer = raw(function(accept) return (lines(GOOD[1], GOOD[2], GOOD[3], accept):gsub("\r", "")) end),
    },
  }),
  row("9112", "4", "MAY", "A status line without a reason, nor the space before it, is read", either {
    { name = "`HTTP/1.1 101`", answer = status_line "HTTP/1.1 101" },
  }),
  row("9112", "5.1", "MUST NOT be sent", "A header line that is none fails it", refused {
    {
      name = "no colon",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], "nonsense", accept) end),
    },
    {
      name = "no name",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], ": b", accept) end),
    },
    {
      name = "a control character",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], "X-A: \1", accept) end),
    },
  }),
  row("9112", "5.1", "MAY", "A blank between a header's name and its colon is taken", either {
    {
      name = "one",
      answer = raw(function(accept) return lines(GOOD[1], GOOD[2], GOOD[3], "X-Other : b", accept) end),
    },
  }),
  row("9110", "5.4", "MAY", "A large answer is read", either {
    { name = "a header of 12,000 bytes", answer = headers { ["Set-Cookie"] = ("c"):rep(12000) } },
    { name = "a header of 100,000 bytes", answer = headers { ["Set-Cookie"] = ("c"):rep(100000) } },
  }),
}

return { requests, accepted, refusals, liberties }
