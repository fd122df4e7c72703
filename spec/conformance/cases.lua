-- The cases of docs/conformance.md, in its order: what a server says, and what RFC 6455 and RFC 7692
-- have a client do then.
--
-- A row is a rule (see row.lua) with its cases. A case is what the client is told, what the server
-- does, and what has to come of it; without any of that it is a good connection.
--
--   name                  what is peculiar to it among those of its row
--   protocols, timeout    the client's options: subprotocols, seconds for the handshake
--   compression           permessage-deflate is offered, with these parameters
--   closes                { code, reason }: the client closes when the first message has come
--   echo                  it sends each message back
--
--   answer                to the upgrade: options of support.peer's upgrade, or a function of the
--                         request and the good Sec-WebSocket-Accept that returns the bytes
--   says                  a list of bytes to send, and functions of the line (see server.lua)
--   answer_piece, piece   bytes of a write of either; otherwise as much as can be
--   ends                  "tcp": without a close frame; "wait": not by the server. Otherwise a last
--                         message and a close frame with 1000 go out with what is said, or behind
--                         the echoes
--
--   refused               the handshake has to fail
--   fails                 the connection has to: a list of the codes that fit, the best one first
--   messages              what the client delivers, and sends back: a list of { kind, data }
--   pongs                 the payloads of what it has to answer
--   told                  { code, reason } that the program is told at the end
--   agreed                { bits, takeover } of the compressor, where there is one
--   check                 a function of what the server wrote down: what is wrong, or nil
--   either                all of it may be so or otherwise; outcome, as check, then says which

local cases = { sections = {}, all = {} }

for _, name in ipairs { "handshake", "framing", "closing", "text", "compression" } do
  for _, section in ipairs(require("conformance." .. name)) do
    table.insert(cases.sections, section)
    for _, row in ipairs(section) do
      for _, case in ipairs(row.cases) do table.insert(cases.all, case) end
    end
  end
end

return cases
