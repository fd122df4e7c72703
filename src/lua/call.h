/* The one place that calls Lua functions. A callback of the loop must not let a Lua error jump over
 * libwebsockets and libuv: everything that can raise one runs inside call_protected, and the first
 * error waits until the loop has unwound. */
#ifndef STEADY_LUA_CALL_H
#define STEADY_LUA_CALL_H

#include "lua/loop.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs function(argument as light userdata) on the state that is inside run or step now. After an
 * error the loop halts, and nothing more is called until the next run; call_raise has the error. */
void call_protected(struct loop *loop, lua_CFunction function, void *argument);

/* The same, but an error is the caller's: returns false with its text, cut to size, in message. */
bool call_caught(struct loop *loop, lua_CFunction function, void *argument, char *message,
                 size_t size);

/* Raises the error that waits, if there is one. */
void call_raise(lua_State *L, struct loop *loop);

/* Calls the handler below its arguments on the stack, for so many results; only inside
 * call_protected or call_caught. */
void call_handler(lua_State *L, int arguments, int results);

#endif
