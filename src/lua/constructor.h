/* Makes clients and their metatable. */
#ifndef STEADY_LUA_CONSTRUCTOR_H
#define STEADY_LUA_CONSTRUCTOR_H

#include <lua.h>

/* new(url [, on_message [, name]]) or new(options) -> client */
int constructor_new(lua_State *L);

/* Makes the metatable of clients, and adds to the table on top of the stack what
 * steadysocket/tasks.lua needs: the table `methods`, to which it adds its own, and the functions
 * is_client, take, watch and settled. */
void constructor_open(lua_State *L);

#endif
