#include "binding.h"
#include "bytes.h"
#include "core/socks.h"

static const char *const parts[] = {"method", "login", "reply", "complete", "refused", "bad"};

static void push_buffer(lua_State *L, struct steady_buffer *buffer)
{
    lua_pushlstring(L, (const char *)buffer->data, buffer->size);
    steady_buffer_free(buffer);
}

static const char *text_of(lua_State *L, const char *field)
{
    lua_getfield(L, 1, field);
    return lua_tostring(L, -1);
}

/* socks.talk({ user, password, address (4 or 16 bytes), name, port }, { piece, ... }) ->
 * { greeting, sent = { what each piece led to }, part, code, text, used, another } */
static int socks_talk(lua_State *L)
{
    struct steady_socks socks = {0};
    struct steady_buffer out = {0};
    struct steady_url proxy = {.user = (char *)text_of(L, "user"),
                               .password = (char *)text_of(L, "password")};
    struct steady_socks_target target = {.name = text_of(L, "name")};
    char text[256];
    size_t used = 0;
    lua_getfield(L, 1, "address");
    target.address = (const uint8_t *)lua_tolstring(L, -1, &target.address_size);
    lua_getfield(L, 1, "port");
    target.port = (uint16_t)luaL_checkinteger(L, -1);
    lua_newtable(L);
    steady_socks_start(&socks, &proxy, &target, &out);
    push_buffer(L, &out);
    lua_setfield(L, -2, "greeting");
    lua_newtable(L);
    for (lua_Integer i = 1; lua_geti(L, 2, i) == LUA_TSTRING; i++) {
        size_t size;
        const uint8_t *bytes = push_exact_copy(L, -1, &size);
        used += steady_socks_input(&socks, bytes, size, &out);
        lua_pop(L, 2);
        push_buffer(L, &out);
        lua_seti(L, -2, i);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, "sent");
    steady_socks_explain(&socks, text, sizeof text);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "text");
    lua_pushstring(L, parts[socks.part]);
    lua_setfield(L, -2, "part");
    lua_pushinteger(L, socks.code);
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, (lua_Integer)used);
    lua_setfield(L, -2, "used");
    lua_pushboolean(L, steady_socks_may_try_another(&socks));
    lua_setfield(L, -2, "another");
    steady_socks_free(&socks);
    return 1;
}

void bind_socks(lua_State *L)
{
    static const luaL_Reg functions[] = {{"talk", socks_talk}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
