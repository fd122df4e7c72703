/* The errors of handlers, kept until the loop has unwound. Each is raised by a run or step of its
 * own, in the order in which they came. An error may be any Lua value, also nil. */
#ifndef STEADY_LUA_FAILURES_H
#define STEADY_LUA_FAILURES_H

#include <lua.h>
#include <stdbool.h>

/* There is one list for each Lua state, and not one for each loop, since a child process has a loop
 * of its own but inherits the errors. */
struct failures;

/* Returns the list of this Lua state, which it makes on first use and which lives as long as the
 * state. */
struct failures *failures_get(lua_State *L);

/* (light userdata: the list, error). A C function for Lua that adds the error at the end. Raises
 * when there is no memory for that. */
int failures_add(lua_State *L);

/* Counts an error that could not be added. failures_raise tells how many there were, after all
 * others. */
void failures_lose(struct failures *failures);

bool failures_wait(const struct failures *failures);

/* Raises the oldest error. Returns when there is none. */
void failures_raise(lua_State *L, struct failures *failures);

#endif
