/* What a client shows and takes as fields: its methods and properties can be read, its handlers
 * read and set. */
#ifndef STEADY_LUA_PROPERTIES_H
#define STEADY_LUA_PROPERTIES_H

#include <lua.h>

/* Adds the metamethods __index, __newindex and __tostring to the metatable of clients, which is
 * below a table of their methods on top of the stack. Pops that table. */
void properties_register(lua_State *L);

#endif
