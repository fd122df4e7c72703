/* The place of an option in the table that WebSocket.new gets, and the functions that read values
 * from there.
 *
 * Tables of options are read without their metamethods, as `next` and `rawlen` read them. So no
 * foreign code, which could fail or change the table, runs while a table is read. */
#ifndef STEADY_LUA_PLACE_H
#define STEADY_LUA_PLACE_H

#include <lua.h>
#include <stddef.h>

/* The name of an option, such as "reconnect.min_delay", for error messages. */
struct place {
    const char *group; /* NULL for an option that is in no group */
    const char *name;
};

/* Raises an error about the option. `what` is the text behind the option's name. */
_Noreturn void place_wrong(lua_State *L, struct place place, const char *what);

/* Raises an error that says that the value at `index` has the wrong type. `expected` is the name of
 * the right type. */
_Noreturn void place_wrong_type(lua_State *L, struct place place, const char *expected, int index);

/* Returns the string at `index`, and sets *size. Raises for any other value. */
const char *place_text(lua_State *L, int index, struct place place, size_t *size);

/* Returns the size of the list on top of the stack. Raises when the table has other keys than those
 * from 1 to its size. */
lua_Unsigned place_list_size(lua_State *L, struct place place);

/* Calls `take` for the value on top of the stack. When that is a list, calls `take` for each of its
 * values instead, with that value on top. Raises when the list is empty. */
void place_each(lua_State *L, struct place place,
                void (*take)(lua_State *L, struct place place, void *context), void *context);

/* Returns the key that lua_next has put below the top of the stack. Raises when the key is not a
 * string, or has a NUL byte inside, where a C string would end. `group` is the option's group for
 * the message, or NULL. */
const char *place_key(lua_State *L, const char *group);

#endif
