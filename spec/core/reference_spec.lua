local resolve = require("core_binding").url.resolve

local BASE = "ws://a/b/c/d;p?q"

-- RFC 3986 section 5.4, with its http://a/ as ws://a/, and without fragments.
local EXAMPLES = {
  { "g", "ws://a/b/c/g" },
  { "./g", "ws://a/b/c/g" },
  { "g/", "ws://a/b/c/g/" },
  { "/g", "ws://a/g" },
  { "//g", "ws://g/" },
  { "?y", "ws://a/b/c/d;p?y" },
  { "g?y", "ws://a/b/c/g?y" },
  { "#s", "ws://a/b/c/d;p?q" },
  { "g#s", "ws://a/b/c/g" },
  { "g?y#s", "ws://a/b/c/g?y" },
  { ";x", "ws://a/b/c/;x" },
  { "g;x", "ws://a/b/c/g;x" },
  { "g;x?y#s", "ws://a/b/c/g;x?y" },
  { "", "ws://a/b/c/d;p?q" },
  { ".", "ws://a/b/c/" },
  { "./", "ws://a/b/c/" },
  { "..", "ws://a/b/" },
  { "../", "ws://a/b/" },
  { "../g", "ws://a/b/g" },
  { "../..", "ws://a/" },
  { "../../", "ws://a/" },
  { "../../g", "ws://a/g" },
  { "../../../g", "ws://a/g" },
  { "../../../../g", "ws://a/g" },
  { "/./g", "ws://a/g" },
  { "/../g", "ws://a/g" },
  { "g.", "ws://a/b/c/g." },
  { ".g", "ws://a/b/c/.g" },
  { "g..", "ws://a/b/c/g.." },
  { "..g", "ws://a/b/c/..g" },
  { "./../g", "ws://a/b/g" },
  { "./g/.", "ws://a/b/c/g/" },
  { "g/./h", "ws://a/b/c/g/h" },
  { "g/../h", "ws://a/b/c/h" },
  { "g;x=1/./y", "ws://a/b/c/g;x=1/y" },
  { "g;x=1/../y", "ws://a/b/c/y" },
  { "g?y/./x", "ws://a/b/c/g?y/./x" },
  { "g?y/../x", "ws://a/b/c/g?y/../x" },
  { "g#s/./x", "ws://a/b/c/g" },
  { "g#s/../x", "ws://a/b/c/g" },
}

local OTHERS = {
  { "ws://h:81/x", "ws://h:81/x" },
  { "WSS://H", "wss://h/" },
  { "http://h/x?y", "ws://h/x?y" },
  { "HTTPS://h:444/", "wss://h:444/" },
  { "https://h:443/a/../b", "wss://h/b" },
  { "ws://h/../../a/./b/..", "ws://h/a/" },
  { "//h:1/x/..", "ws://h:1/" },
  { "//h?q", "ws://h/?q" },
  { "http://[::1]:8/x", "ws://[::1]:8/x" },
  { "a//b", "ws://a/b/c/a//b" },
  { "/a//../b", "ws://a/a/b" },
  { "/a/b/../..", "ws://a/" },
  { "./a:b", "ws://a/b/c/a:b" },
  { "/a:b", "ws://a/a:b" },
  { "?", "ws://a/b/c/d;p?" },
  { "/%2e%2E/x", "ws://a/%2e%2E/x" }, -- not dots: they were escaped on purpose
}

describe("a reference in a Location header", function()
  for _, example in ipairs(EXAMPLES) do
    it(("%q is as in RFC 3986 section 5.4"):format(example[1]), function()
      assert.equal(example[2], assert(resolve(BASE, example[1])).text)
    end)
  end

  it("may have a scheme of the web, an authority, or nothing of them", function()
    for _, other in ipairs(OTHERS) do
      assert.equal(other[2], assert(resolve(BASE, other[1]), other[1]).text)
    end
  end)

  it("has the scheme of the base, where it has none", function()
    assert.equal("wss://a:5/x", resolve("wss://a:5/b?c", "/x").text)
    assert.equal("wss://h/x", resolve("wss://a:5/b", "//h/x").text)
    assert.equal("wss://a/?x", resolve("wss://a", "?x").text)
  end)

  it("keeps user and password for the same server only", function()
    local base = "ws://me:secret@a/x"
    for _, reference in ipairs { "/y", "?y", "", "//a/y", "ws://a:80/", "http://A/" } do
      local url = resolve(base, reference)
      assert.equal("me", url.user, reference)
      assert.equal("secret", url.password, reference)
    end
    for _, reference in ipairs { "//b/y", "wss://a/", "ws://a:81/", "https://a:80/", "ws://a.b/" } do
      local url = resolve(base, reference)
      assert.is_nil(url.user, reference)
      assert.is_nil(url.password, reference)
    end
    assert.equal("you", resolve(base, "ws://you@a/").user)
    assert.is_nil(resolve(base, "ws://you@a/").password)
  end)

  it("is refused when it leads to nothing that is a WebSocket URL", function()
    for reference, why in pairs {
      ["ftp://h/"] = "has a scheme that is none of ws, wss, http and https",
      ["mailto:x"] = "has a scheme that is none of ws, wss, http and https",
      ["ws+unix:/tmp/x:/"] = "has a scheme that is none of ws, wss, http and https",
      [":x"] = "has a scheme that is none of ws, wss, http and https",
      ["ws:x"] = "does not begin with ws:// or wss://",
      ["ws://"] = "has no host",
      ["http:///x"] = "has no host",
      ["//"] = "has no host",
      ["//h:99999/"] = "has a port that is not between 1 and 65535",
      ["a b"] = "has a blank, a control character or a non-ASCII one that is not percent-escaped",
      ["/\u{E9}"] = "has a blank, a control character or a non-ASCII one that is not percent-escaped",
      ["/%zz"] = "has a % without two hexadecimal digits behind it",
      ["/" .. ("x"):rep(33000)] = "is longer than 32768 bytes",
    } do
      local url, message = resolve(BASE, reference)
      assert.is_nil(url, reference)
      assert.equal(why, message, reference)
    end
  end)
end)
