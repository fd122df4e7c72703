/* A table of options, read into the struct of core/options. */
#ifndef STEADY_LUA_OPTIONS_H
#define STEADY_LUA_OPTIONS_H

#include <lua.h>

/* Reads new's arguments, from index 1 on, into the client at index `client` of the stack, which has
 * the defaults. Raises an error that names the argument or the option. */
void options_read(lua_State *L, int client);

#endif
