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
        "src/core/harmless.c",
        "src/core/heartbeat.c",
        "src/core/holds.c",
        "src/core/no_proxy.c",
        "src/core/options.c",
        "src/core/protocol.c",
        "src/core/protocol_output.c",
        "src/core/queue.c",
        "src/core/reference.c",
        "src/core/response.c",
        "src/core/retry_after.c",
        "src/core/secrets.c",
        "src/core/session.c",
        "src/core/socks.c",
        "src/core/tap.c",
        "src/core/trace.c",
        "src/core/trace_http.c",
        "src/core/token.c",
        "src/core/url.c",
        "src/core/utf8.c",
        "src/loop/context.c",
        "src/loop/descriptor.c",
        "src/loop/leave.c",
        "src/loop/loop.c",
        "src/loop/process.c",
        "src/loop/random.c",
        "src/loop/source.c",
        "src/loop/timer.c",
        "src/loop/watch.c",
        "src/dial/address.c",
        "src/dial/certificate.c",
        "src/dial/credentials.c",
        "src/dial/dial.c",
        "src/dial/dns.c",
        "src/dial/encode.c",
        "src/dial/failure.c",
        "src/dial/keylog.c",
        "src/dial/levels.c",
        "src/dial/mask.c",
        "src/dial/pin.c",
        "src/dial/proxy.c",
        "src/dial/race.c",
        "src/dial/reach.c",
        "src/dial/sessions.c",
        "src/dial/stream.c",
        "src/dial/stream_buffers.c",
        "src/dial/tls.c",
        "src/dial/tls_carrier.c",
        "src/dial/tls_context.c",
        "src/dial/tls_resume.c",
        "src/dial/tls_shared.c",
        "src/dial/tls_trust.c",
        "src/dial/tunnel.c",
        "src/client/attempt.c",
        "src/client/change.c",
        "src/client/client.c",
        "src/client/events.c",
        "src/client/inbox.c",
        "src/client/invariants.c",
        "src/client/link.c",
        "src/client/outbox.c",
        "src/client/receiving.c",
        "src/client/redirect.c",
        "src/client/sending.c",
        "src/client/state.c",
        "src/client/trace.c",
        "src/client/upgrade.c",
        "src/lua/call.c",
        "src/lua/client.c",
        "src/lua/constructor.c",
        "src/lua/delivery.c",
        "src/lua/event.c",
        "src/lua/failures.c",
        "src/lua/handler.c",
        "src/lua/log.c",
        "src/lua/loop.c",
        "src/lua/methods.c",
        "src/lua/module.c",
        "src/lua/object.c",
        "src/lua/options.c",
        "src/lua/properties.c",
        "src/lua/run.c",
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
