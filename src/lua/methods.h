/* The methods of a client, and some functions that only our own Lua files use. */
#ifndef STEADY_LUA_METHODS_H
#define STEADY_LUA_METHODS_H

#include <lua.h>

/* Pushes a new table with all methods: connect, send and so on. */
void methods_push(lua_State *L);

/* Adds the functions with which steadysocket/tasks.lua waits for a client to the table on top of
 * the stack: is_client, take, watch, settled. */
void methods_register_waiting(lua_State *L);

#endif
