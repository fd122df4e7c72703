/* Reads the options that have rules of their own: url, headers, protocols, origin, proxy,
 * connect_to, and the handlers. */
#ifndef STEADY_LUA_SPECIAL_OPTIONS_H
#define STEADY_LUA_SPECIAL_OPTIONS_H

#include "core/options.h"

#include <lua.h>

/* Sets the option of this name to the value on top of the stack; handlers go to the client at index
 * `client`. Raises an error that names the option when the value is wrong, or when no option has
 * the name. */
void special_options_read(lua_State *L, int client, struct steady_options *options,
                          const char *name);

/* The options whose values may be functions, which are called for each attempt. The list ends with
 * a NULL name. */
extern const struct option_provider {
    const char *name;
    int handler; /* where the client keeps the function, see lua/handler.h */
    /* Replaces the option by the value on top of the stack. Raises an error that names the option
     * when the value is wrong. */
    void (*replace)(lua_State *L, struct steady_options *options);
} option_providers[];

#endif
