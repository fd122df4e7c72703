local covers = require("core_binding").no_proxy.covers

-- A list; hosts that it covers; hosts that it does not. A host is a name or an address, with a port
-- behind a blank where that matters.
local CASES = {
  { "", {}, { "example.com", "127.0.0.1", "::1" } },
  { " , ,", {}, { "example.com" } },
  { "*", { "example.com", "127.0.0.1", "::1" }, {} },
  { "other.test, *", { "example.com" }, {} },
  -- names
  { "example.com", { "example.com", "a.example.com", "a.b.example.com", "example.com." },
    { "xexample.com", "example.com.au", "com", "example.co" } },
  { ".example.com", { "example.com", "a.example.com" }, { "xexample.com" } },
  { "*.example.com", { "example.com", "a.example.com" }, { "xexample.com" } },
  { "EXAMPLE.Com", { "example.com", "a.example.com" }, {} },
  { "example.com.", { "example.com", "example.com." }, { "example.org" } },
  { "localhost", { "localhost" }, { "127.0.0.1", "::1", "ocalhost" } },
  { ".", {}, { "example.com", "h" } },
  { "*.", {}, { "example.com" } },
  { "a.*.com", {}, { "a.b.com" } },
  { "com", { "example.com" }, { "example.org" } },
  -- lists
  { "a.test,b.test", { "a.test", "b.test" }, { "c.test" } },
  { "a.test b.test\tc.test", { "a.test", "b.test", "c.test" }, { "d.test" } },
  { ",,a.test, ,", { "a.test" }, { "b.test" } },
  -- ports
  { "example.com:8080", { "example.com 8080", "a.example.com 8080" }, { "example.com 80", "example.com 443" } },
  { "*:8080", { "h 8080", "127.0.0.1 8080" }, { "h 80" } },
  { "127.0.0.1:81", { "127.0.0.1 81" }, { "127.0.0.1 80" } },
  { "[::1]:81", { "::1 81" }, { "::1 80" } },
  { "h:", {}, { "h" } },
  { "h:0", {}, { "h" } },
  { "h:65536", {}, { "h" } },
  { "h:http", {}, { "h" } },
  -- addresses
  { "127.0.0.1", { "127.0.0.1", "::ffff:127.0.0.1" }, { "127.0.0.2", "1.127.0.0.1", "localhost" } },
  { "0.0.1", {}, { "127.0.0.1" } }, -- no part of an address is a name
  { ".0.0.1", {}, { "127.0.0.1" } },
  { "::1", { "::1", "0:0:0:0:0:0:0:1" }, { "::2", "127.0.0.1" } },
  { "[::1]", { "::1" }, { "::2" } },
  { "FD00::A", { "fd00::a" }, { "fd00::b" } },
  { "fe80::1%eth0", { "fe80::1" }, { "fe80::2" } },
  { "[fe80::1%eth0]:81", { "fe80::1 81" }, { "fe80::1 80" } },
  { "::ffff:10.0.0.1", { "10.0.0.1" }, { "10.0.0.2" } },
  -- networks
  { "10.0.0.0/8", { "10.0.0.1", "10.255.255.255" }, { "11.0.0.0", "9.255.255.255", "::1", "ten.test" } },
  { "10.1.2.3/8", { "10.9.9.9" }, { "11.1.2.3" } },
  { "192.168.4.0/22", { "192.168.4.0", "192.168.7.255" }, { "192.168.8.0", "192.168.3.255" } },
  { "192.168.1.128/25", { "192.168.1.128", "192.168.1.255" }, { "192.168.1.127" } },
  { "127.0.0.1/32", { "127.0.0.1" }, { "127.0.0.0" } },
  { "0.0.0.0/0", { "1.2.3.4" }, { "::1", "fd00::1", "h" } },
  { "::/0", { "::1", "fd00::1" }, { "h" } },
  { "fd00::/8", { "fd12:3456::1" }, { "fc00::1", "fe80::1" } },
  { "2001:db8::/33", { "2001:db8:7fff::1" }, { "2001:db8:8000::1" } },
  { "[fd00::]/8", {}, { "fd00::1" } },
  { "10.0.0.0/8:81", { "10.0.0.1 81" }, { "10.0.0.1 80" } },
  { "10.0.0.0/33", {}, { "10.0.0.0" } },
  { "::/129", {}, { "::" } },
  { "10.0.0.0/", {}, { "10.0.0.0" } },
  { "10.0.0.0/x", {}, { "10.0.0.0" } },
  { "10.0.0.0/-1", {}, { "10.0.0.0" } },
  { "10.0.0/8", {}, { "10.0.0.0" } },
  { "example.com/8", {}, { "example.com" } },
  -- what is nothing
  { "[", {}, { "h", "::1" } },
  { "[::1", {}, { "::1" } },
  { "]", {}, { "h", "::1" } },
  { "/", {}, { "h", "::1" } },
  { ":", {}, { "h", "::1" } },
  { "%", {}, { "h", "::1" } },
  { ("x"):rep(5000) .. ",h", { "h" }, { "x" } },
}

local function ask(list, host)
  local name, port = host:match "^(%S+) (%d+)$"
  return covers(list, name or host, tonumber(port) or 80)
end

describe("no_proxy", function()
  for _, case in ipairs(CASES) do
    local list, covered, others = table.unpack(case)
    it(("%q covers %d hosts of %d"):format(list:sub(1, 30), #covered, #covered + #others), function()
      for _, host in ipairs(covered) do assert.is_true(ask(list, host), host) end
      for _, host in ipairs(others) do assert.is_false(ask(list, host), host) end
    end)
  end

  it("is looked through in a time that grows with its length only", function()
    local list = ("10.0.0.0/8,a.test,"):rep(20000)
    local before = os.clock()
    assert.is_false(ask(list, "11.0.0.1"))
    assert.is_true(os.clock() - before < 0.5 * (tonumber(os.getenv "SPEC_PATIENCE") or 1))
  end)
end)
