#include "binding.h"
#include "core/retry_after.h"

/* retry_after.seconds(value, now) -> seconds to wait from now on */
static int retry_after_seconds(lua_State *L)
{
    const char *value = luaL_checkstring(L, 1);
    lua_pushnumber(L, steady_retry_after(value, (int64_t)luaL_checkinteger(L, 2)));
    return 1;
}

void bind_retry_after(lua_State *L)
{
    static const luaL_Reg functions[] = {{"seconds", retry_after_seconds}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
