/* Reads the arguments of WebSocket.new into a struct steady_options. */
#ifndef STEADY_LUA_OPTIONS_H
#define STEADY_LUA_OPTIONS_H

#include "core/options.h"

#include <lua.h>

/* Reads new's arguments, from index 1 on, into `options`, which have the defaults; handlers go to
 * the client at index `client` of the stack. Raises an error that names the argument or the option.
 */
void options_read(lua_State *L, int client, struct steady_options *options);

#endif
