rockspec_format = "3.0"
package = "steadysocket"
version = "scm-1"

source = {
  url = "git+https://github.com/steadysocket/steadysocket.git",
}

description = {
  summary = "A WebSocket client that stays connected",
  detailed = [[
    Connects, hands each message to a function, and reconnects whenever the connection ends,
    until told to close. A C core on libwebsockets and libuv.
  ]],
  homepage = "https://github.com/steadysocket/steadysocket",
  license = "MIT",
  labels = { "websocket", "network", "async" },
}

supported_platforms = { "unix" }

dependencies = {
  "lua >= 5.4, < 5.5",
}

external_dependencies = {
  LIBWEBSOCKETS = { header = "libwebsockets.h", library = "websockets" },
  LIBUV = { header = "uv.h", library = "uv" },
  OPENSSL = { header = "openssl/ssl.h", library = "ssl" },
  CRYPTO = { header = "openssl/x509.h", library = "crypto" },
  ZLIB = { header = "zlib.h", library = "z" },
}

build = {
  type = "builtin",
  modules = {
    ["steadysocket.core"] = {
      sources = {
        "src/lua/requirements.c",
        "src/core/backoff.c",
        "src/core/buffer.c",
        "src/core/deflate.c",
        "src/core/error.c",
        "src/core/extension.c",
        "src/core/frame.c",
        "src/core/handshake.c",
        "src/core/heartbeat.c",
        "src/core/options.c",
        "src/core/protocol.c",
        "src/core/protocol_output.c",
        "src/core/queue.c",
        "src/core/response.c",
        "src/core/retry_after.c",
        "src/core/session.c",
        "src/core/token.c",
        "src/core/url.c",
        "src/core/utf8.c",
        "src/net/attempt.c",
        "src/net/client.c",
        "src/net/context.c",
        "src/net/dial.c",
        "src/net/dns.c",
        "src/net/events.c",
        "src/net/failure.c",
        "src/net/link.c",
        "src/net/loop.c",
        "src/net/messages.c",
        "src/net/probe.c",
        "src/net/proxy.c",
        "src/net/route.c",
        "src/net/source.c",
        "src/net/stream.c",
        "src/net/timer.c",
        "src/net/tls.c",
        "src/net/upgrade.c",
        "src/net/vhost.c",
        "src/lua/call.c",
        "src/lua/client.c",
        "src/lua/event.c",
        "src/lua/loop.c",
        "src/lua/module.c",
        "src/lua/options.c",
        "src/lua/source.c",
        "src/lua/timer.c",
      },
      incdirs = {
        "src", "$(LIBWEBSOCKETS_INCDIR)", "$(LIBUV_INCDIR)", "$(OPENSSL_INCDIR)", "$(CRYPTO_INCDIR)",
        "$(ZLIB_INCDIR)",
      },
      libdirs = {
        "$(LIBWEBSOCKETS_LIBDIR)", "$(LIBUV_LIBDIR)", "$(OPENSSL_LIBDIR)", "$(CRYPTO_LIBDIR)",
        "$(ZLIB_LIBDIR)",
      },
      libraries = { "websockets", "uv", "ssl", "crypto", "z", "m" },
    },
    ["steadysocket"] = "src/steadysocket/init.lua",
    ["steadysocket.loader"] = "src/steadysocket/loader.lua",
    ["steadysocket.tasks"] = "src/steadysocket/tasks.lua",
    ["steadysocket.copas"] = "src/steadysocket/copas.lua",
    ["steadysocket.cqueues"] = "src/steadysocket/cqueues.lua",
    ["steadysocket.luv"] = "src/steadysocket/luv.lua",
    ["steadysocket.cli"] = "src/steadysocket/cli.lua",
    ["steadysocket.cli.arguments"] = "src/steadysocket/cli/arguments.lua",
    ["steadysocket.cli.editor"] = "src/steadysocket/cli/editor.lua",
    ["steadysocket.cli.json"] = "src/steadysocket/cli/json.lua",
    ["steadysocket.cli.output"] = "src/steadysocket/cli/output.lua",
    ["steadysocket.cli.terminal"] = "src/steadysocket/cli/terminal.lua",
  },
  install = {
    bin = { ["steadysocket"] = "bin/steadysocket" },
  },
  copy_directories = { "src/types" }, -- for editors
}

test = {
  type = "busted",
}
