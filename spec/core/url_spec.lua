local chance = require "support.chance"
local core = require("core_binding").url
local parse = core.parse

-- Returns a function that expects that a text is refused for this reason.
local function refuser(parser)
  return function(text, why)
    local url, message = parser(text)
    assert.is_nil(url, ("%q was accepted"):format(text))
    assert.equal(why, message)
  end
end

local refuses = refuser(parse)

-- A URL of random pieces, of which the first is one of `starts`, is refused; or its text, which is
-- without the user and password, gives the same URL again.
local function stays_the_same(parser, starts, pieces)
  for _ = 1, 20000 do
    local text = { starts[math.random(#starts)] }
    for i = 2, math.random(9) do text[i] = pieces[math.random(#pieces)] end
    local url, message = parser(table.concat(text))
    if url then
      local again = assert(parser(url.text))
      url.user, url.password = nil, nil
      assert.same(url, again)
    else
      assert.is_string(message)
    end
  end
end

local function has(text, expected)
  local url = assert(parse(text))
  for field, value in pairs(expected) do
    assert.equal(value, url[field], ("%s of %q"):format(field, text))
  end
end

local function every_byte()
  local bytes = {}
  for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
  return table.concat(bytes)
end

describe("a WebSocket URL", function()
  it("is taken apart", function()
    assert.same({
      scheme = "wss",
      secure = true,
      ipv6 = false,
      host = "example.com",
      port = 8443,
      authority = "example.com:8443",
      path = "/chat/room?id=7&x=%20",
      user = "anna",
      password = "secret",
      text = "wss://example.com:8443/chat/room?id=7&x=%20",
    }, parse "wss://anna:secret@example.com:8443/chat/room?id=7&x=%20")
  end)

  it("has no user and no password where it names none", function()
    for _, text in ipairs { "ws://h/", "ws://@h/" } do
      local url = assert(parse(text))
      assert.is_nil(url.user)
      assert.is_nil(url.password)
    end
  end)

  describe("of a socket of this machine", function()
    it("is taken apart", function()
      assert.same({
        scheme = "wss",
        secure = true,
        ipv6 = false,
        socket = "/run/a b:c",
        host = "localhost",
        port = 443,
        authority = "localhost",
        path = "/x?y:z",
        text = "wss+unix:/run/a%20b%3Ac:/x?y:z",
      }, parse "WSS+Unix:///run/a%20b%3Ac:/x?y:z")
      has("ws+unix:/s", { socket = "/s", path = "/", port = 80, secure = false, text = "ws+unix:/s:/" })
      has("ws+unix:/s?q", { socket = "/s", path = "/?q", text = "ws+unix:/s:/?q" })
      has("ws+unix:/s:p", { socket = "/s", path = "/p" })
      has("ws+unix:/u:p@h/x", { socket = "/u", path = "/p@h/x" })
      has("ws+unix:/" .. ("%61"):rep(106), { socket = "/" .. ("a"):rep(106) })
    end)

    it("has an absolute path that the system takes, without control characters", function()
      for _, text in ipairs { "ws+unix:", "ws+unix:/", "ws+unix:s", "ws+unix://s", "ws+unix://h/s", "ws+unix::/x",
        "ws+unix:?q", "ws+unix:///", "ws+unix:%2Fs" } do
        refuses(text, "has no absolute path of a socket behind its scheme")
      end
      refuses("ws+unix:/a%00b", "has a control character in the path of its socket")
      refuses("ws+unix:/a%0Ab", "has a control character in the path of its socket")
      local _, message = parse("ws+unix:/" .. ("a"):rep(200))
      assert.matches("^has the path of a socket with over %d+ bytes$", message)
      refuses("ws+unix:/s#f", "has a fragment, which WebSocket URLs cannot have")
      refuses("ws+unix:/s%z", "has a % without two hexadecimal digits behind it")
    end)
  end)

  describe("has a scheme that", function()
    it("may be in any case", function()
      has("WS://h/", { secure = false, text = "ws://h/" })
      has("wSs://h/", { secure = true, text = "wss://h/" })
    end)

    it("must be ws or wss, and be followed by //", function()
      local others = {
        "", "w", "ws", "ws:", "ws:/", "ws:/h", "wss:/h/", "wsss://h/", "http://h/", "https://h/",
        "h", "h:80/", "//h/", " ws://h/", "\0ws://h/", "w\0s://h/",
      }
      for _, text in ipairs(others) do
        refuses(text, "does not begin with ws:// or wss://")
      end
    end)
  end)

  describe("has a host that", function()
    it("is in lower case, since names are", function()
      local name = "example.com"
      has("ws://EXAMPLE.Com/Path", { host = name, authority = name, path = "/Path" })
    end)

    it("may be any name or IPv4 address", function()
      for _, host in ipairs { "h", "my_host", "a-b.c", "127.0.0.1", "xn--bcher-kva.de", "h." } do
        has("ws://" .. host .. "/", { host = host, authority = host, ipv6 = false })
      end
    end)

    it("may be an IPv6 address, kept without its brackets but sent with them", function()
      has("ws://[::1]/", {
        host = "::1",
        ipv6 = true,
        authority = "[::1]",
        port = 80,
        text = "ws://[::1]/",
      })
      has("wss://[2001:DB8::A]:9001?x", {
        host = "2001:db8::a",
        authority = "[2001:db8::a]:9001",
        port = 9001,
        path = "/?x",
      })
      local longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
      has("ws://[" .. longest .. "]/", { host = longest })
    end)

    it("cannot be an IPv6 address that is none", function()
      local none = {
        "", ":", "1", ":::", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::",
        "g::", "::1.2.3", "127.0.0.1", "h", "h%25eth0", "%25eth0", "v1.x", "[::1", ("0"):rep(100),
      }
      for _, address in ipairs(none) do
        refuses("ws://[" .. address .. "]/", "has no valid IPv6 address between its brackets")
      end
    end)

    it("may be an IPv6 address with a zone, which only the user is shown", function()
      for _, written in ipairs { "fe80::1%25eth0.1", "fe80::1%eth0.1", "FE80::1%25eth0.1" } do
        has("ws://a:b@[" .. written .. "]:81/p", {
          host = "fe80::1",
          zone = "eth0.1",
          authority = "[fe80::1]:81",
          text = "ws://[fe80::1%25eth0.1]:81/p",
        })
      end
      has("ws://[fe80::1%2]/", { zone = "2", text = "ws://[fe80::1%252]/" })
      has("ws://[fe80::1%25]/", { zone = "25" })
      has("ws://[fe80::1%2525]/", { zone = "25" })
      has("ws://[fe80::1%25Wlan0]/", { zone = "Wlan0" }) -- names of interfaces have cases
      has("ws://[fe80::1%" .. ("x"):rep(15) .. "]/", { zone = ("x"):rep(15) })
      assert.is_nil(parse("ws://[fe80::1]/").zone)
    end)

    it("cannot have a zone that is no name of a network interface", function()
      local why = "has a zone behind its IPv6 address that is no name of a network interface"
      for _, zone in ipairs { "%", "%25%41", "%25a:b", "%25a!", "%" .. ("x"):rep(16) } do
        refuses("ws://[fe80::1" .. zone .. "]/", why)
      end
      refuses("ws://[fe80::1%eth0/", "has an IPv6 address without its closing bracket")
      local escape = "has a % without two hexadecimal digits behind it"
      for _, text in ipairs { "ws://[::1]/[%x]", "ws://h/?[::1%x]", "ws://[::1]%x", "ws://h%x/", "ws://[%x]@h/" } do
        refuses(text, escape)
      end
    end)

    it("needs both brackets of an IPv6 address, and nothing but a port behind them", function()
      for _, text in ipairs { "ws://[", "ws://[::1", "ws://[::1/", "ws://[::1:80", "ws://[?]" } do
        refuses(text, "has an IPv6 address without its closing bracket")
      end
      for _, text in ipairs { "ws://[::1]80", "ws://[::1]x:80/", "ws://[::1]]/" } do
        refuses(text, "has something that is no port behind its IPv6 address")
      end
    end)

    it("may not be an IPv6 address without brackets", function()
      for _, rest in ipairs { "::1", "::1/", "::1:80/x", "fe80::1", "2001:db8::7:8443/", "a:b@::1" } do
        refuses("ws://" .. rest, "has an IPv6 address that is not in brackets")
      end
    end)

    it("has no characters but those of ASCII", function()
      local why = "has a non-ASCII character in its host: such a name is written as DNS has it, xn--..."
      for _, rest in ipairs { "m\u{FC}nchen.de", "a:b@\u{E9}:80/x", "[\u{E9}]/" } do
        refuses("ws://" .. rest, why)
      end
      refuses("ws://\u{E9}@h/", "has a blank, a control character or a non-ASCII one that is not percent-escaped")
    end)

    it("cannot be left out", function()
      for _, rest in ipairs { "", "/", "?x", ":80/", "a:b@/" } do
        refuses("ws://" .. rest, "has no host")
        refuses("wss://" .. rest, "has no host")
      end
    end)

    it("has letters, digits and - . _ ~ only", function()
      for character in ("!\"$&'()*+,;<=>\\^`{|}[]"):gmatch "." do
        refuses("ws://a" .. character .. "b/", "has a character in its host that no name can have")
      end
      refuses("ws://ex%41mple/", "has a character in its host that no name can have")
    end)

    it("has at most 255 bytes", function()
      local host = ("h"):rep(255)
      has("ws://" .. host .. "/", { host = host })
      refuses("ws://" .. host .. "h/", "has a host of more than 255 bytes")
    end)
  end)

  describe("has a port that", function()
    it("is 80 or 443 where it names none", function()
      has("ws://h", { port = 80 })
      has("wss://h", { port = 443 })
      has("ws://h:/", { port = 80 })
      has("wss://[::1]:", { port = 443 })
    end)

    it("is in the authority only where it is not the default", function()
      has("ws://h:80/", { authority = "h", text = "ws://h/" })
      has("wss://h:443/", { authority = "h" })
      has("ws://h:443/", { authority = "h:443" })
      has("wss://h:80/", { authority = "h:80", text = "wss://h:80/" })
    end)

    it("may be any from 1 to 65535", function()
      has("ws://h:1", { port = 1 })
      has("ws://h:65535/", { port = 65535, authority = "h:65535" })
      has("ws://h:00080/", { port = 80, authority = "h" })
    end)

    it("is refused outside of that", function()
      for _, port in ipairs { "0", "000", "65536", "99999999999999999999999999999999" } do
        refuses("ws://h:" .. port .. "/", "has a port that is not between 1 and 65535")
      end
    end)

    it("is a number", function()
      for _, port in ipairs { "x", "8o", "-1", "+80", "80:80", ":80", "0x50", "%38%30" } do
        refuses("ws://h:" .. port .. "/", "has a port that is not a number")
      end
    end)
  end)

  describe("has a path that", function()
    it("is / where it has none", function()
      has("ws://h", { path = "/", text = "ws://h/" })
      has("ws://h:81", { path = "/" })
    end)

    it("is / before a query without one", function()
      has("ws://h?x", { path = "/?x", host = "h", text = "ws://h/?x" })
      has("ws://h:81?x=/", { path = "/?x=/", port = 81 })
      has("ws://h?", { path = "/?" })
    end)

    it("is kept as it was written", function()
      for _, path in ipairs { "//", "/a/../b", "/%41%5a", "/?a?b", "/:@[]", '/a|b{c}"<>' } do
        has("ws://h" .. path, { path = path })
      end
    end)

    it("is not taken for credentials when it has an @", function()
      has("ws://h/a:b@c", { host = "h", path = "/a:b@c" })
      has("ws://h?a:b@c", { host = "h", path = "/?a:b@c" })
      assert.is_nil(parse("ws://h/a:b@c").user)
    end)
  end)

  describe("has credentials that", function()
    it("are percent-decoded", function()
      has("ws://a%40b%2Fc:p%3aq%40%C3%A9@h/", { user = "a@b/c", password = "p:q@\u{E9}" })
    end)

    it("may lack the password or the user", function()
      local url = assert(parse "ws://anna@h/")
      assert.equal("anna", url.user)
      assert.is_nil(url.password)
      has("ws://anna:@h/", { user = "anna", password = "" })
      has("ws://:secret@h/", { user = "", password = "secret" })
    end)

    it("may have colons in the password", function()
      has("ws://a:b:c@h/", { user = "a", password = "b:c" })
    end)

    it("are in no text that is shown", function()
      local url = assert(parse "wss://anna:secret@h:99/p")
      assert.equal("wss://h:99/p", url.text)
      assert.equal("h:99", url.authority)
    end)

    it("must have what is special escaped", function()
      for _, credentials in ipairs { "a:p@ss", "a@b", "a:[x]", 'a:"', "a\\b", "<:>", "a|b:c" } do
        refuses(
          "ws://" .. credentials .. "@h/",
          "has a character in its user or password that must be percent-escaped"
        )
      end
    end)

    it("must be such that Basic authorization can carry them", function()
      for _, credentials in ipairs { "%00", "a%0D%0Ab", "a:%00", "a:b%7F", ":%1f" } do
        refuses("ws://" .. credentials .. "@h/", "has a control character in its user or password")
      end
      refuses("ws://a%3Ab:c@h/", "has a colon in its user")
    end)
  end)

  describe("is refused", function()
    it("with a fragment", function()
      for _, text in ipairs { "ws://h#", "ws://h/#x", "ws://h/?a#b", "ws://#/", "ws://a#b@h/" } do
        refuses(text, "has a fragment, which WebSocket URLs cannot have")
      end
    end)

    it("with a blank, a control character or a byte over 126 anywhere", function()
      local why = "has a blank, a control character or a non-ASCII one that is not percent-escaped"
      for bad in every_byte():gmatch "[\0-\x20\x7F-\xFF]" do
        for _, text in ipairs { "a*:b@h", "a:*@h", "h:*80", "h/*", "h/?*x" } do
          refuses("ws://" .. text:gsub("%*", bad), why)
        end
        if bad < "\x80" then
          for _, text in ipairs { "h*/", "*", "*h" } do refuses("ws://" .. text:gsub("%*", bad), why) end
        end
      end
    end)

    it("with a broken percent escape anywhere", function()
      local broken = {
        "h/%", "h/%4", "h/%4g", "h/%g4", "h/?%%41", "%@h/", "a:%4@h/", "%",
      }
      for _, rest in ipairs(broken) do
        refuses("ws://" .. rest, "has a % without two hexadecimal digits behind it")
      end
    end)

    it("with more than 32768 bytes", function()
      local text = "ws://h/" .. ("x"):rep(32768 - #"ws://h/")
      has(text, { text = text })
      refuses(text .. "x", "is longer than 32768 bytes")
    end)
  end)

  it("stays the same when its text is parsed again", chance(function()
    stays_the_same(parse, { "ws://", "wss://" }, {
      "ws://", "wss://", "[", "]", ":", "::1", "@", "/", "?", "#", "%", "%41", "%00", "a", "H.x",
      "80", "65536", " ", "\0", "\xFF", "[::1%25", "%",
    })
  end))
end)

--------------------------------------------------------------------------------------------------

describe("a proxy's URL", function()
  local parse_proxy = core.parse_proxy

  local refuses_proxy = refuser(parse_proxy)

  it("has one of four schemes, each with a port of its own", function()
    for scheme, port in pairs { http = 80, https = 443, socks5 = 1080, socks5h = 1080 } do
      for _, written in ipairs { scheme, scheme:upper() } do
        local url = assert(parse_proxy(written .. "://H.test"))
        assert.equal(scheme, url.scheme)
        assert.equal(scheme == "https", url.secure)
        assert.equal(port, url.port)
        assert.equal(("%s://h.test:%d"):format(scheme, port), url.text)
      end
    end
  end)

  it("names another scheme that it is refused for", function()
    local known = ": known are http, https, socks5 and socks5h"
    for _, scheme in ipairs { "socks", "socks4", "socks4a", "ftp", "ws", "WSS", "h2+x-y.z" } do
      refuses_proxy(scheme .. "://h:1", ('has the scheme "%s", which is not known'):format(scheme) .. known)
    end
    local none = "does not begin with a scheme, as http://" .. known
    for _, text in ipairs {
      "", "h", "h:1080", "://h", "u:secret@h:1", ("s"):rep(17) .. "://h", "http:/h", "\27://h",
    } do
      refuses_proxy(text, none)
    end
  end)

  it("is shown with brackets around an IPv6 address, and with its port", function()
    assert.equal("http://[::1]:80", assert(parse_proxy "http://[::1]").text)
    assert.equal("socks5://[fe80::1%25eth0]:1", assert(parse_proxy "socks5://u:p@[fe80::1%eth0]:1/").text)
  end)

  it("has no path", function()
    refuses_proxy("http://h/x", "has a path, which the URL of a proxy cannot have")
    refuses_proxy("socks5://h?x", "has a path, which the URL of a proxy cannot have")
  end)

  it("may have a long user and password for Basic", function()
    local long = ("x"):rep(2000)
    local url = assert(parse_proxy("http://" .. long .. ":" .. long .. "@h"))
    assert.equal(long, url.user)
    assert.equal(long, url.password)
    refuses_proxy("http://a%3Ab:c@h", "has a colon in its user")
  end)

  it("has a user and a password of 1 to 255 bytes each for SOCKS", function()
    local most = ("x"):rep(255)
    local why = "has a user and a password of which one is empty or longer than 255 bytes, which "
      .. "SOCKS cannot carry"
    for _, scheme in ipairs { "socks5://", "socks5h://" } do
      local url = assert(parse_proxy(scheme .. most .. ":" .. most .. "@h"))
      assert.equal(most, url.password)
      assert.equal("a:b", assert(parse_proxy(scheme .. "a%3Ab:c@h")).user)
      assert.is_nil(assert(parse_proxy(scheme .. "h")).user)
      for _, credentials in ipairs { "u", "u:", ":p", ":", most .. "x:p", "u:x" .. most } do
        refuses_proxy(scheme .. credentials .. "@h", why)
      end
    end
  end)

  it("stays the same when its text is parsed again", chance(function()
    stays_the_same(parse_proxy, { "http://", "https://", "socks5://", "socks5h://", "http" },
      { "[", "]", ":", "::1", "@", "/", "%25", "%41", "a", "H.x", "80", "[fe80::1%25e", "%" })
  end))
end)
