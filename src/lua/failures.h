/* Keeps the errors of handlers until the loop has returned. Each run or step raises one of them, in
 * the order in which they occurred. An error may be any Lua value, even nil. */
#ifndef STEADY_LUA_FAILURES_H
#define STEADY_LUA_FAILURES_H

#include <lua.h>
#include <stdbool.h>

/* There is one list for each Lua state. It does not belong to the loop, because a child process has
 * a new loop but inherits the errors. */
struct failures;

/* Returns the list of this Lua state, which it makes on first use and which lives as long as the
 * state. */
struct failures *failures_get(lua_State *L);

/* A C function for Lua. Its arguments are the list, as a light userdata, and an error, which it
 * adds at the end of the list. Raises when memory is out. */
int failures_add(lua_State *L);

/* Counts an error that could not be added. After all other errors, failures_raise raises one that
 * says how many were lost. */
void failures_lose(struct failures *failures);

/* Returns whether there are errors to raise. */
bool failures_any(const struct failures *failures);

/* Raises the oldest error. Returns when there is none. */
void failures_raise(lua_State *L, struct failures *failures);

#endif
