-- permessage-deflate (RFC 7692) from end to end; core/deflate_spec.lua and core/extension_spec.lua
-- have what may be in the frames and in the negotiation.

local Peer = require "support.peer"
local Server = require "support.server"
local watched = require "support.watched"

local LONG = ("what is said again and again, "):rep(1000)

describe("Compression", function()
  after_each(function()
    watched.end_all()
    Server.stop_all()
  end)

  it("is agreed on where both sides want it, and messages arrive whole, both ways", function()
    local server = Server.start { deflate = true }
    local client = watched.connect { url = server:url(), compression = true }
    assert.is_false(client.ws.compression) -- there is no connection yet
    client:await "opens"
    assert.is_true(client.ws.compression)
    local messages = {
      { data = LONG, kind = "text" },
      { data = "", kind = "text" },
      { data = LONG .. "\0\xFF", kind = "binary" },
      { data = "short", kind = "text" },
    }
    for _, message in ipairs(messages) do client.ws:send(message.data, message.kind) end
    client:await("messages", #messages)
    assert.same(messages, client.messages)
  end)

  it("takes fewer bytes on the wire", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, compression = true }
    local conn = server:welcome { headers = { ["Sec-WebSocket-Extensions"] = "permessage-deflate" } }
    client.ws:send(LONG)
    local frame = conn:receive_frame()
    assert.equal(4, frame.rsv) -- RSV1: compressed
    assert(#frame.payload < #LONG / 20, #frame.payload)
  end)

  it("ends with its connection, and is agreed on anew with the next one", function()
    local server = Peer.listen()
    local client = watched.connect { url = server.url, compression = true }
    local conn = server:welcome { headers = { ["Sec-WebSocket-Extensions"] = "permessage-deflate" } }
    client:await "opens"
    conn:cut()
    client:await "closes"
    assert.is_false(client.ws.compression)
    conn = server:welcome()
    client:await("opens", 2)
    assert.is_false(client.ws.compression) -- this server did not take the offer
    client.ws:send(LONG)
    assert.equal(LONG, conn:receive_text())
  end)

  it("is not offered without the option", function()
    local server = Server.start { deflate = true }
    local client = watched.connect { url = server:url() }
    client:await "opens"
    assert.is_false(client.ws.compression)
    client.ws:send(LONG)
    assert.equal(LONG, client:await("messages").data)
  end)
end)
