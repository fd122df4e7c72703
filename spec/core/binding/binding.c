#include "binding.h"

static const struct {
    const char *name;
    void (*bind)(lua_State *L);
} subjects[] = {
    {"utf8", bind_utf8},
    {"frame", bind_frame},
    {"queue", bind_queue},
    {"protocol", bind_protocol},
    {"url", bind_url},
    {"handshake", bind_handshake},
    {"response", bind_response},
    {"backoff", bind_backoff},
    {"session", bind_session},
    {"extension", bind_extension},
    {"deflate", bind_deflate},
    {"heartbeat", bind_heartbeat},
    {"retry_after", bind_retry_after},
    {"trace", bind_trace},
};

__attribute__((visibility("default"))) int luaopen_core_binding(lua_State *L);

int luaopen_core_binding(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subjects[i].bind(L);
        lua_setfield(L, -2, subjects[i].name);
    }
    return 1;
}
