-- Literal addresses that are more than numbers.

local Peer = require "support.peer"
local watched = require "support.watched"

describe("a link-local address", function()
  after_each(watched.end_all)

  -- One that this machine has, and its network interface; nil where there is none.
  local function link_local()
    local list <close> = assert(io.popen "ip -6 -o addr show scope link 2> /dev/null")
    for line in list:lines() do
      local interface, address = line:match "^%d+: (%S+)%s+inet6 (fe80[%x:]+)/"
      if interface and not line:find "tentative" then return address, interface end
    end
  end

  it("is reached by the network interface behind it, which the server is not told", function()
    local address, interface = link_local()
    if not address then return pending "this machine has no link-local address" end
    local server = Peer.listen { address = "::" }
    local pipe <close> = assert(io.popen("cat /sys/class/net/" .. interface .. "/ifindex"))
    local index = pipe:read "n"
    for _, zone in ipairs { "%25" .. interface, "%" .. interface, "%25" .. index } do
      local client = watched.connect { url = ("ws://[%s%s]:%d/"):format(address, zone, server.port) }
      local conn = server:welcome()
      client:await "opens"
      assert.equal(("[%s]:%d"):format(address, server.port), conn.asked.headers.host)
      assert.equal(address .. "%" .. interface, client.opens[1].address)
      client.ws:close()
    end
  end)

  it("needs a network interface that there is", function()
    local function fails(url, kind, text)
      local client = watched.connect { url = url, name = "prices" }
      local event = client:await "errors"
      assert.equal(("prices: %s: %s"):format(url, text), event.message)
      assert.equal(kind, event.kind)
      client.ws:close()
    end
    fails("ws://[fe80::1%25nowhere]/", "dns",
      'cannot resolve "fe80::1%nowhere": this machine has no such network interface')
    fails("ws://[fe80::1%2599999]/", "dns",
      'cannot resolve "fe80::1%99999": this machine has no such network interface')
    fails("ws://[fe80::1]/", "unreachable",
      "cannot be reached: a link-local address needs its network interface, as in [fe80::1%eth0]")
  end)
end)
