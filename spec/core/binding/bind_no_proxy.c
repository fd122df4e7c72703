#include "binding.h"
#include "core/no_proxy.h"

/* no_proxy.covers(list, host, port) -> boolean */
static int no_proxy_covers(lua_State *L)
{
    lua_pushboolean(L, steady_no_proxy_covers(luaL_checkstring(L, 1), luaL_checkstring(L, 2),
                                              (uint16_t)luaL_checkinteger(L, 3)));
    return 1;
}

void bind_no_proxy(lua_State *L)
{
    static const luaL_Reg functions[] = {{"covers", no_proxy_covers}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
