#include "binding.h"
#include "core/backoff.h"

static double field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    double value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static struct steady_backoff check_backoff(lua_State *L)
{
    return (struct steady_backoff){
        .min_delay = field(L, "min_delay"),
        .max_delay = field(L, "max_delay"),
        .factor = field(L, "factor"),
        .jitter = field(L, "jitter"),
    };
}

/* backoff.delay({ min_delay, max_delay, factor, jitter }, failures, random) -> seconds */
static int backoff_delay(lua_State *L)
{
    struct steady_backoff backoff = check_backoff(L);
    unsigned failures = (unsigned)luaL_checkinteger(L, 2);
    lua_pushnumber(L, steady_backoff_delay(&backoff, failures, luaL_checknumber(L, 3)));
    return 1;
}

/* backoff.asked({ min_delay, max_delay, factor, jitter }, failures, asked, random) -> seconds */
static int backoff_asked(lua_State *L)
{
    struct steady_backoff backoff = check_backoff(L);
    unsigned failures = (unsigned)luaL_checkinteger(L, 2);
    double asked = luaL_checknumber(L, 3);
    lua_pushnumber(L, steady_backoff_asked(&backoff, failures, asked, luaL_checknumber(L, 4)));
    return 1;
}

void bind_backoff(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"delay", backoff_delay}, {"asked", backoff_asked}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
