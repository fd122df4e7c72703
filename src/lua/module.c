/* The module's table: require "steadysocket.core". */
#include "loop/context.h"
#include "lua/constructor.h"
#include "lua/loop.h"
#include "lua/run.h"
#include "lua/source.h"
#include "lua/text.h"
#include "lua/timer.h"

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#define VERSION "1.0.0"

/* steadysocket/loader.lua finds this text in the file when the file cannot be loaded. */
__attribute__((used)) static const char built_for[] = "steadysocket.core for " LUA_VERSION;

/* Pushes the version of libwebsockets, without the dash that Debian puts at its end. */
static void push_library(lua_State *L)
{
    const char *version = steady_context_library();
    size_t size = strlen(version);
    while (size && version[size - 1] == '-')
        size--;
    lua_pushlstring(L, version, size);
}

/* shown(value) -> text. Returns the value as messages show it. */
static int internal_shown(lua_State *L)
{
    luaL_checkany(L, 1);
    text_push_value(L, 1);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_steadysocket_core(lua_State *L);

/* Makes the table `internal` available to our Lua files, as the module "steadysocket.internal".
 * tasks.lua removes it from the table that users get. */
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
    loop_open(L);
    timer_open(L);
    lua_newtable(L);
    lua_newtable(L);
    constructor_open(L);
    run_open(L);
    source_open(L);
    lua_pushcfunction(L, internal_shown);
    lua_setfield(L, -2, "shown");
    share(L);
    lua_setfield(L, -2, "internal");
    lua_pushcfunction(L, constructor_new);
    lua_setfield(L, -2, "new");
    run_register(L);
    timer_register(L);
    lua_pushliteral(L, VERSION);
    lua_setfield(L, -2, "version");
    push_library(L);
    lua_setfield(L, -2, "libwebsockets");
    return 1;
}
