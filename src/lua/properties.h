/* The fields of a client: methods and properties, which can be read, and handlers, which can be
 * read and set. */
#ifndef STEADY_LUA_PROPERTIES_H
#define STEADY_LUA_PROPERTIES_H

#include <lua.h>

/* Adds the metamethods __index, __newindex and __tostring to the metatable of clients. The
 * metatable is on the stack below a table of the methods, which this function completes and pops.
 */
void properties_register(lua_State *L);

#endif
