#include "binding.h"
#include "core/backoff.h"

static double field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    double value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

/* backoff.delay({ min_delay, max_delay, factor, jitter }, failures, random) -> seconds */
static int backoff_delay(lua_State *L)
{
    struct steady_backoff backoff = {
        .min_delay = field(L, "min_delay"),
        .max_delay = field(L, "max_delay"),
        .factor = field(L, "factor"),
        .jitter = field(L, "jitter"),
    };
    unsigned failures = (unsigned)luaL_checkinteger(L, 2);
    lua_pushnumber(L, steady_backoff_delay(&backoff, failures, luaL_checknumber(L, 3)));
    return 1;
}

void bind_backoff(lua_State *L)
{
    static const luaL_Reg functions[] = {{"delay", backoff_delay}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
