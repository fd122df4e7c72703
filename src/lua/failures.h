/* The errors of handlers that wait until the loop has unwound. Each is raised by a run or step of
 * its own, in the order they came. They may be any Lua values, nil too. */
#ifndef STEADY_LUA_FAILURES_H
#define STEADY_LUA_FAILURES_H

#include <lua.h>
#include <stdbool.h>

/* One for each Lua state, not for each loop: a child that is forked has another loop. */
struct failures;

/* Made on first use; lives as long as the Lua state. */
struct failures *failures_get(lua_State *L);

/* A C function for Lua, (light userdata: the failures, the error): adds the error behind the
 * others. Raises only for want of memory. */
int failures_add(lua_State *L);

/* Counts an error that could not be added. Its number is told in the end. */
void failures_lose(struct failures *failures);

bool failures_wait(const struct failures *failures);

/* Raises the error that has waited longest; returns where none waits. */
void failures_raise(lua_State *L, struct failures *failures);

#endif
