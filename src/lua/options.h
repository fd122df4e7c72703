/* Reads the arguments of WebSocket.new. */
#ifndef STEADY_LUA_OPTIONS_H
#define STEADY_LUA_OPTIONS_H

#include "core/options.h"

#include <lua.h>

/* Reads the arguments of new, from index 1 on, into `options`, which must have the defaults.
 * Handlers go to the client at index `client` of the stack. Raises an error that names the argument
 * or the option. */
void options_read(lua_State *L, int client, struct steady_options *options);

#endif
