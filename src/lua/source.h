/* Input and signals for steadysocket/cli.lua. */
#ifndef STEADY_LUA_SOURCE_H
#define STEADY_LUA_SOURCE_H

#include <lua.h>

/* Makes the metatable of sources, and adds the functions that steadysocket/cli.lua needs to the
 * table on top of the stack: input, signal. */
void source_open(lua_State *L);

#endif
