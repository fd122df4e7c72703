/* Reads the arguments of WebSocket.new into a struct steady_options. */
#ifndef STEADY_LUA_OPTIONS_H
#define STEADY_LUA_OPTIONS_H

#include "core/options.h"

#include <lua.h>

/* Reads new's arguments, from index 1 on, into `options`, which have the defaults; handlers go to
 * the client at index `client` of the stack. Raises an error that names the argument or the option.
 */
void options_read(lua_State *L, int client, struct steady_options *options);

/* The options that may be functions, which are called for each attempt; ends with a NULL name. */
extern const struct options_provider {
    const char *name;
    int handler; /* where the client keeps the function, see lua/handler.h */
    /* Replaces what there is by the value on top of the stack. Raises an error that names the
     * option when the value is wrong. */
    void (*replace)(lua_State *L, struct steady_options *options);
} options_providers[];

#endif
