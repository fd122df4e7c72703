#include "binding.h"
#include "bytes.h"
#include "core/utf8.h"

#define CHECKER "core.utf8"

/* utf8.valid(text) -> boolean */
static int utf8_valid(lua_State *L)
{
    size_t size;
    const uint8_t *bytes = push_exact_copy(L, 1, &size);
    lua_pushboolean(L, steady_utf8_valid(bytes, size));
    return 1;
}

/* utf8.new() -> checker */
static int utf8_new(lua_State *L)
{
    struct steady_utf8 *utf8 = lua_newuserdatauv(L, sizeof *utf8, 0);
    *utf8 = (struct steady_utf8){0};
    luaL_setmetatable(L, CHECKER);
    return 1;
}

/* checker:feed(piece) -> boolean */
static int checker_feed(lua_State *L)
{
    struct steady_utf8 *utf8 = luaL_checkudata(L, 1, CHECKER);
    size_t size;
    const uint8_t *bytes = push_exact_copy(L, 2, &size);
    lua_pushboolean(L, steady_utf8_feed(utf8, bytes, size));
    return 1;
}

/* checker:complete() -> boolean */
static int checker_complete(lua_State *L)
{
    const struct steady_utf8 *utf8 = luaL_checkudata(L, 1, CHECKER);
    lua_pushboolean(L, steady_utf8_complete(utf8));
    return 1;
}

void bind_utf8(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"feed", checker_feed}, {"complete", checker_complete}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"valid", utf8_valid}, {"new", utf8_new}, {NULL, NULL}};
    luaL_newmetatable(L, CHECKER);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
