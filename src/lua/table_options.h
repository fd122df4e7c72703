/* Reads the options that the table of core/options.h describes. */
#ifndef STEADY_LUA_TABLE_OPTIONS_H
#define STEADY_LUA_TABLE_OPTIONS_H

#include "core/options.h"
#include "lua/place.h"

#include <lua.h>

/* Returns the option of this name in a list, or NULL when the list does not have it. */
const struct steady_option *table_options_find(const struct steady_option *list, const char *name);

/* Sets an option to the value on top of the stack. Raises an error that names the option when the
 * value is wrong. */
void table_options_read(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place);

/* Raises an error that says that there is no option with this name. The error proposes the most
 * similar name of the list or of `others`, a list of names that ends with NULL. `others` itself may
 * be NULL. */
_Noreturn void table_options_unknown(lua_State *L, struct place place,
                                     const struct steady_option *list, const char *const *others);

#endif
