/* The module's table: require "steadysocket.core". */
#include "lua/client.h"
#include "lua/loop.h"
#include "lua/source.h"
#include "lua/timer.h"
#include "net/context.h"

#include <lauxlib.h>
#include <lua.h>

#define VERSION "1.0.0"

/* Which is read in the file where it cannot be loaded: see steadysocket/loader.lua. */
__attribute__((used)) static const char built_for[] = "steadysocket.core for " LUA_VERSION;

__attribute__((visibility("default"))) int luaopen_steadysocket_core(lua_State *L);

/* What tasks.lua takes out of the module's table is there for our other Lua files by a name. */
static void share(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "steadysocket.internal");
    lua_pop(L, 1);
}

int luaopen_steadysocket_core(lua_State *L)
{
    luaL_checkversion(L);
    timer_open(L);
    lua_newtable(L);
    lua_newtable(L);
    client_open(L);
    loop_open(L);
    source_open(L);
    share(L);
    lua_setfield(L, -2, "internal");
    lua_pushcfunction(L, client_new);
    lua_setfield(L, -2, "new");
    loop_register(L);
    lua_pushliteral(L, VERSION);
    lua_setfield(L, -2, "version");
    lua_pushstring(L, steady_context_library());
    lua_setfield(L, -2, "libwebsockets");
    return 1;
}
