-- Proxies as people have them: tinyproxy, Squid, microsocks, Dante, and stunnel before one of them.

local Daemon = require "support.daemon"
local Peer = require "support.peer"
local certs = require "support.certs"
local cost = require "support.cost"
local socket = require "socket"
local watched = require "support.watched"

local TRANSPORTS = { ws = {}, wss = { tls = certs.good } }

local function tinyproxy()
  return Daemon.start("tinyproxy", function(daemon)
    return "tinyproxy -d -c " .. daemon:write("conf", ([[
Port %d
Listen 127.0.0.1
Timeout 60
MaxClients 50
Allow 127.0.0.1
BasicAuth anna secret
]]):format(daemon.port))
  end)
end

local SQUID_LOGIN = "/usr/lib/squid/basic_ncsa_auth"

local function squid()
  return Daemon.start("squid", function(daemon)
    daemon:write("users", "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n") -- secret
    os.execute(("printf 'anna:%%s\n' \"$(openssl passwd -apr1 secret)\" > %s/users"):format(daemon.folder))
    return "squid -N -f " .. daemon:write("conf", ([[
http_port 127.0.0.1:%d
pid_filename none
cache deny all
cache_log %s/cache.log
access_log none
coredump_dir none
shutdown_lifetime 0 seconds
auth_param basic program %s %s/users
auth_param basic realm spec
acl known proxy_auth REQUIRED
acl forbidden dst 127.0.0.2
http_access deny forbidden
http_access allow known
http_access deny all
]]):format(daemon.port, "/dev/null", SQUID_LOGIN, daemon.folder))
  end)
end

local function microsocks()
  return Daemon.start("microsocks", function(daemon)
    return ("microsocks -i 127.0.0.1 -p %d -u anna -P secret"):format(daemon.port)
  end)
end

local function dante()
  return Daemon.start("danted", function(daemon)
    local users = Daemon.as_root() and "user.privileged: root\nuser.unprivileged: nobody\n" or ""
    return "danted -f " .. daemon:write("conf", users .. ([[
logoutput: stderr
internal: 127.0.0.1 port = %d
external: lo
socksmethod: none
clientmethod: none
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks block { from: 0.0.0.0/0 to: 127.0.0.2/32 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
]]):format(daemon.port))
  end)
end

-- TLS before a proxy that does not speak it.
local function stunnel(behind)
  return Daemon.start("stunnel", function(daemon)
    return "stunnel " .. daemon:write("conf", ([[
foreground = yes
pid =
syslog = no
[proxy]
accept = 127.0.0.1:%d
connect = 127.0.0.1:%d
cert = %s
key = %s
]]):format(daemon.port, behind.port, certs.good.cert, certs.good.key))
  end)
end

local ALL = {
  { program = "tinyproxy", package = "tinyproxy-bin", start = tinyproxy, schemes = { "http" }, login = "anna:secret@" },
  { program = "squid", package = "squid", start = squid, schemes = { "http" }, login = "anna:secret@" },
  { program = "microsocks", package = "microsocks", start = microsocks, schemes = { "socks5", "socks5h" },
    login = "anna:secret@" },
  { program = "danted", package = "dante-server", start = dante, schemes = { "socks5", "socks5h" }, login = "" },
}

local running = {} -- by program

local function the(proxy)
  running[proxy.program] = running[proxy.program] or proxy.start()
  return running[proxy.program]
end

local function url_of(scheme, login, port)
  return ("%s://%s127.0.0.1:%d"):format(scheme, login, port)
end

-- address: where the server listens, 127.0.0.1 by default.
local function meet(scheme, options, address)
  local listening = { address = address }
  for name, value in pairs(TRANSPORTS[scheme]) do listening[name] = value end
  local server = Peer.listen(listening)
  options.url = options.url and options.url:gsub("PORT", server.port) or server.url
  options.tls = { ca_file = certs.ca }
  return watched.connect(options), server
end

local function talk(client, server)
  local conn = server:welcome()
  client:await "opens"
  local large = ("x"):rep(1 << 20)
  client.ws:send(large, "binary")
  assert.is_true(conn:receive_binary(10) == large)
  conn:binary(large)
  assert.is_true(client:await("messages", 1, 10).data == large)
  assert.same({}, client.errors)
  client.ws:close()
  conn:receive_close()
end

local function refused(client, server, text)
  local event = client:await "errors"
  assert.equal("proxy", event.kind)
  assert.truthy(event.message:find(text, 1, true), event.message)
  assert.is_nil(event.message:find("secret", 1, true), event.message)
  assert.equal(0, server:arrivals())
  client.ws:close()
  return event
end

describe("through a real proxy,", function()
  after_each(watched.end_all)
  teardown(Daemon.end_all)

  -- Says so where a program is missing.
  local function with(programs, name, fn)
    it(name, function()
      for _, proxy in ipairs(programs) do
        if not Daemon.has(proxy.program) then return pending("the package " .. proxy.package .. " is missing") end
      end
      fn()
    end)
  end

  for _, proxy in ipairs(ALL) do
    for _, scheme in ipairs(proxy.schemes) do
      for transport in pairs(TRANSPORTS) do
        with({ proxy }, ("%s as %s://, %s works"):format(proxy.program, scheme, transport), function()
          talk(meet(transport, { proxy = url_of(scheme, proxy.login, the(proxy).port) }))
        end)
      end

      with({ proxy }, ("%s as %s://, a name that both can resolve works"):format(proxy.program, scheme), function()
        -- Some proxies try the first address of a name alone.
        local address = socket.dns.getaddrinfo("localhost")[1].addr
        talk(meet("ws", {
          url = "ws://localhost:PORT/",
          proxy = url_of(scheme, proxy.login, the(proxy).port),
        }, address))
      end)
    end
  end

  local tiny, squid_proxy, micro, danted = table.unpack(ALL)
  local tls = { program = "stunnel", package = "stunnel4" }

  for transport in pairs(TRANSPORTS) do
    with({ tiny, tls }, ("stunnel and tinyproxy as https://, %s works"):format(transport), function()
      running.stunnel = running.stunnel or stunnel(the(tiny))
      talk(meet(transport, { proxy = url_of("https", tiny.login, running.stunnel.port) }))
    end)
  end

  for _, proxy in ipairs { tiny, squid_proxy } do
    with({ proxy }, proxy.program .. " wants a log-in, and says by which scheme", function()
      for _, login in ipairs { "", "anna:wrong@", "eve:secret@" } do
        local client, server = meet("ws", { proxy = url_of("http", login, the(proxy).port) })
        local event = refused(client, server, "it answered ")
        -- Older ones answer 401.
        assert.truthy(event.http_status == 407 or proxy == tiny, event.message)
        if event.http_status == 407 then
          assert.truthy(event.message:find("it wants to be logged in to by Basic, and the proxy's URL may name "
            .. "user:password for Basic", 1, true), event.message)
        end
      end
    end)

    with({ proxy }, proxy.program .. " tells that nothing listens on the port", function()
      local server = Peer.listen()
      server:close()
      local client = watched.connect { url = server.url, proxy = url_of("http", proxy.login, the(proxy).port) }
      local event = client:await "errors"
      assert.equal("proxy", event.kind)
      assert.is_true(event.http_status >= 500, event.message)
    end)
  end

  with({ squid_proxy }, "squid tells that its rules do not allow it", function()
    local client = watched.connect {
      url = "ws://127.0.0.2:1/",
      proxy = url_of("http", squid_proxy.login, the(squid_proxy).port),
    }
    assert.equal(403, client:await("errors").http_status)
  end)

  with({ micro }, "microsocks wants a log-in", function()
    local client, server = meet("ws", { proxy = url_of("socks5", "", the(micro).port) })
    refused(client, server, "it wants to be logged in to, and the proxy's URL may name user:password")
    client, server = meet("ws", { proxy = url_of("socks5", "anna:wrong@", the(micro).port) })
    refused(client, server, "it does not accept this user and password")
  end)

  for _, proxy in ipairs { micro, danted } do
    with({ proxy }, proxy.program .. " tells that nothing listens on the port", function()
      local server = Peer.listen()
      server:close()
      local client = watched.connect { url = server.url, proxy = url_of("socks5h", proxy.login, the(proxy).port) }
      local event = client:await "errors"
      assert.equal("proxy", event.kind)
      assert.truthy(event.message:find("nothing listens on that port", 1, true), event.message)
    end)

    with({ proxy }, proxy.program .. " that is asked as an HTTP proxy does not keep us waiting", function()
      local spent = cost.of(function()
        local client, server = meet("ws", { proxy = url_of("http", "", the(proxy).port), connect_timeout = 3 })
        refused(client, server, "the proxy http://127.0.0.1:" .. the(proxy).port)
      end)
      cost.expect(spent.seconds, 0, 1)
    end)
  end

  with({ danted }, "danted tells that its rules do not allow it", function()
    local client = watched.connect { url = "ws://127.0.0.2:1/", proxy = url_of("socks5", "", the(danted).port) }
    local event = client:await "errors"
    assert.truthy(event.message:find("its rules do not allow that", 1, true), event.message)
  end)

  for _, proxy in ipairs { tiny, squid_proxy } do
    with({ proxy }, proxy.program .. " that is asked as a SOCKS proxy is told of, or waited for no longer than "
      .. "connect_timeout", function()
      local spent = cost.of(function()
        local client, server = meet("ws", { proxy = url_of("socks5h", "", the(proxy).port), connect_timeout = 0.5 })
        local event = client:await "errors"
        assert.truthy(event.kind == "timeout" or event.message:find("it answers in HTTP", 1, true)
          or event.message:find("it ended the connection", 1, true), event.message)
        assert.equal(0, server:arrivals())
        client.ws:close()
      end)
      cost.expect(spent.seconds, 0, 1)
    end)
  end

  with({ micro }, "microsocks that dies is a lost connection, and is found again", function()
    local client, server = meet("ws", { proxy = url_of("socks5", micro.login, the(micro).port) })
    server:welcome()
    client:await "opens"
    the(micro):stop()
    client:await "closes"
    assert.equal("proxy", client:await("errors").kind)
    running.microsocks = nil
  end)
end)
