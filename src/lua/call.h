/* The one place that calls Lua functions. A callback of the loop must not let a Lua error jump over
 * libwebsockets and libuv: everything that can raise one runs inside call_protected, and its error
 * waits until the loop has unwound. */
#ifndef STEADY_LUA_CALL_H
#define STEADY_LUA_CALL_H

#include "lua/loop.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Pops an error, which may be any value, and keeps it until a run or step raises it. A loop that is
 * inside run or step halts. Never fails. */
void call_fail(lua_State *L, struct loop *loop);

/* Calls `function` with `argument` as a light userdata, on the Lua thread that is inside run or
 * step now. When it raises an error, the error is kept and the loop halts. On a loop that has
 * halted this does nothing: no handler is called until the next run. */
void call_protected(struct loop *loop, lua_CFunction function, void *argument);

/* The same, but calls the function on a loop that has halted as well. For calls that cannot be put
 * off until the next run, such as a question whose answer is needed now. */
void call_at_once(struct loop *loop, lua_CFunction function, void *argument);

/* The same, but the caller gets the error: returns false and writes its text to `message`, which
 * has room for `size` bytes. A longer text is cut. */
bool call_caught(struct loop *loop, lua_CFunction function, void *argument, char *message,
                 size_t size);

/* As lua_call. Only inside of call_protected, call_at_once or call_caught. */
void call_handler(lua_State *L, int arguments, int results);

/* Every function that may have given the loop something to do calls this before it returns: it
 * tells the event loop that runs ours, if there is one. */
void call_host(lua_State *L, struct loop *loop);

#endif
