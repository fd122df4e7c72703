-- Servers that people put in front of theirs: nginx and HAProxy.

local Daemon = require "support.daemon"
local Peer = require "support.peer"
local certs = require "support.certs"
local cost = require "support.cost"
local files = require "support.files"
local watched = require "support.watched"

local function nginx()
  return Daemon.start("nginx", function(daemon)
    local text = ([[
daemon off;
worker_processes 1;
error_log stderr;
pid FOLDER/nginx.pid;
USER
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path FOLDER/1;
  proxy_temp_path FOLDER/2;
  fastcgi_temp_path FOLDER/3;
  uwsgi_temp_path FOLDER/4;
  scgi_temp_path FOLDER/5;
  server {
    listen 127.0.0.1:PORT;
    listen unix:FOLDER/front;
    listen unix:FOLDER/secure ssl;
    ssl_certificate CERT;
    ssl_certificate_key KEY;
    location /chat {
      proxy_pass http://unix:FOLDER/back:;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $http_host;
      proxy_read_timeout 60;
    }
    location /gone { proxy_pass http://127.0.0.1:1; }
    location /busy { add_header Retry-After 7 always; return 503; }
    location /old { return 302 /chat?moved; }
    location /relative { absolute_redirect off; return 308 /chat?moved; }
    location /loop { return 301 /loop; }
    location /cookies { add_header Set-Cookie "a=1" always; add_header Set-Cookie "b=2" always; return 403; }
  }
}
]]):gsub("%u+", {
      PORT = daemon.port, FOLDER = daemon.folder, CERT = certs.good.cert, KEY = certs.good.key,
      USER = Daemon.as_root() and "user root;" or "",
    })
    return ("nginx -p %s -c %s"):format(daemon.folder, daemon:write("conf", text))
  end)
end

local function haproxy()
  return Daemon.start("haproxy", function(daemon)
    -- It wants certificate and key in one file.
    daemon:write("pem", files.read(certs.good.cert) .. files.read(certs.good.key))
    local text = ([[
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend front
  bind 127.0.0.1:PORT
  bind unix@FOLDER/front
  bind unix@FOLDER/secure ssl crt FOLDER/pem
  http-request return status 503 hdr Retry-After 7 if { path /busy }
  http-request redirect location /chat?moved code 302 if { path /old }
  http-request redirect location /chat?moved code 308 if { path /relative }
  http-request redirect location /loop code 301 if { path /loop }
  http-request return status 403 hdr Set-Cookie a=1 hdr Set-Cookie b=2 if { path /cookies }
  use_backend gone if { path /gone }
  default_backend back
backend back
  server s unix@FOLDER/back
backend gone
  retries 0
  server s 127.0.0.1:1
]]):gsub("%u+", { PORT = daemon.port, FOLDER = daemon.folder })
    return "haproxy -db -q -f " .. daemon:write("conf", text)
  end)
end

-- name, how to start it, the status of a server that is gone behind it
local SERVERS = { { "nginx", nginx, 502 }, { "haproxy", haproxy, 503 } }

for _, case in ipairs(SERVERS) do
  local name, start, gone = table.unpack(case)

  describe(name, function()
    local daemon, back

    -- A spec that is pending where the server is missing.
    local function spec(what, fn)
      it(what, function()
        if not Daemon.has(name) then return pending("needs the package " .. name) end
        daemon = daemon or start()
        os.remove(daemon.folder .. "/back")
        back = Peer.listen { path = daemon.folder .. "/back" }
        os.execute(("chmod 666 %s/back"):format(daemon.folder))
        fn()
      end)
    end

    local function url(path)
      return ("ws://127.0.0.1:%d%s"):format(daemon.port, path)
    end

    -- A conversation over a way to /chat, and the request that arrives.
    local function talk(options, path)
      local client = watched.connect(options)
      local conn = back:welcome()
      assert.equal(path or "/chat", conn.asked.path)
      client:await "opens"
      local large = ("0123456789"):rep(30000)
      assert(client.ws:send(large))
      assert.equal(large, conn:receive_text(10))
      conn:text(large)
      assert.equal(large, client:await("messages", 1, 10).data)
      return client, conn
    end

    local function refusal(path, options)
      options = options or {}
      options.url, options.reconnect = url(path), false
      local client = watched.new(options)
      local spent, event = cost.of(function()
        client.ws:connect()
        return client:await "errors"
      end)
      assert(spent.seconds < 4, spent.seconds)
      assert.equal("http", event.kind)
      return event
    end

    after_each(watched.end_all)
    teardown(Daemon.end_all)

    spec("passes a conversation on to a socket of its machine, and its end", function()
      local client, conn = talk { url = url "/chat" }
      conn:close(4001, "over")
      conn:finish()
      local event = client:await "closes"
      assert.equal(4001, event.code)
      assert.equal("over", event.reason)
      back:welcome()
      client:await("opens", 2)
    end)

    spec("may itself be at a socket of this machine, with and without TLS", function()
      local request = talk({ url = ("ws+unix:%s/front:/chat"):format(daemon.folder) }).ws.url
      assert.equal(("ws+unix:%s/front:/chat"):format(daemon.folder), request)
      talk { url = ("wss+unix:%s/secure:/chat"):format(daemon.folder), tls = { ca_file = certs.ca } }
    end)

    spec("is reached by connect_to, and sees the URL's host", function()
      local _, conn = talk {
        url = "ws://chat.example/chat", connect_to = "127.0.0.1:" .. daemon.port, local_address = "127.0.0.9",
      }
      assert.equal("chat.example", conn.asked.headers.host)
    end)

    spec("redirects, and is followed", function()
      for _, path in ipairs { "/old", "/relative" } do
        local client, conn = talk({
          url = url(path), connect_to = "127.0.0.1:" .. daemon.port, redirects = 3,
          headers = { Cookie = "c=d" },
        }, "/chat?moved")
        assert.matches("/chat%?moved$", client.opens[1].url)
        client.ws:close()
        conn:finish()
      end
      assert.matches("that is a loop", refusal("/loop", { redirects = 3 }).message)
    end)

    spec("keeps cookies where they belong when it redirects to itself", function()
      local _, conn = talk({ url = url "/relative", redirects = 1, headers = { Cookie = "c=d" } }, "/chat?moved")
      assert.equal("c=d", conn.asked.headers.cookie)
    end)

    spec("says that there is nobody behind it", function()
      assert.equal(gone, refusal("/gone").http_status)
    end)

    spec("asks for patience by Retry-After", function()
      local event = refusal "/busy"
      assert.equal(503, event.http_status)
      assert.equal(7, event.retry_after)
      assert.equal("7", event.http_headers["retry-after"])
    end)

    spec("sends cookies that are not joined", function()
      local event = refusal "/cookies"
      assert.equal(403, event.http_status)
      assert.same({ "a=1", "b=2" }, event.http_headers["set-cookie"])
    end)
  end)
end
