-- Certificates out of the ordinary; tls_spec.lua has those that every user meets.

local Peer = require "support.peer"
local certs = require "support.certs"
local watched = require "support.watched"

describe("Any certificate is good enough with verify = false:", function()
  after_each(watched.end_all)

  for name, pair in pairs { ["another host's"] = certs.common_name, ["a client's"] = certs.for_clients } do
    it(name, function()
      local client = watched.meet({ tls = { verify = false } }, Peer.listen { tls = pair })
      assert.same({}, client.errors)
    end)
  end
end)

describe("A certificate is refused, and the message says why, that", function()
  after_each(watched.end_all)

  local function refusal(pair)
    local server = Peer.listen { tls = pair }
    local url = ("wss://localhost:%d/"):format(server.port)
    local client = watched.connect { url = url, name = "prices", tls = { ca_file = certs.ca } }
    local event = client:await "errors"
    assert.equal("tls", event.kind)
    return (event.message:gsub("^prices: wss://localhost:%d+/: ", ""))
  end

  it("has its name only where names were before, and a control character in it", function()
    assert.equal('certificate is for "old?[2J.example", not for "localhost"', refusal(certs.common_name))
  end)

  it("has more names than a message should", function()
    local message = refusal(certs.many_names)
    assert.matches('^certificate is for "host%-1%.some%.long%.example", "host%-2%.', message)
    assert.matches(', not for "localhost"$', message)
    assert(#message > 500 and #message < 600, #message)
  end)

  it("is for clients", function()
    assert.equal("certificate was refused: unsuitable certificate purpose", refusal(certs.for_clients))
  end)
end)
