-- What a protocol of the core (core_binding's) makes of bytes.

local protocol = {}

--- What steady_protocol_next gives until it has used up the input: a list of { type, a, b }, added to
--- `events` where it is given.
function protocol.events_of(connection, events)
  events = events or {}
  for type, a, b in connection.next, connection do
    events[#events + 1] = { type, a, b }
  end
  return events
end

function protocol.receive(connection, bytes)
  connection:input(bytes)
  return protocol.events_of(connection)
end

--- next_size() says how long the next piece is.
function protocol.receive_in_pieces(connection, bytes, next_size)
  local events, at = {}, 1
  while at <= #bytes do
    local size = next_size()
    connection:input(bytes:sub(at, at + size - 1))
    protocol.events_of(connection, events)
    at = at + size
  end
  return events
end

return protocol
