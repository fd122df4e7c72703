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

/* Takes the error on top of the stack off it, has it wait to be raised, and halts a loop that is
 * inside run or step. Never fails. */
void call_fail(lua_State *L, struct loop *loop);

/* Runs function(argument as light userdata) on the state that is inside run or step now. An error
 * is kept, and the loop halts: nothing more is called until the next run. So on a loop that has
 * halted this does nothing. */
void call_protected(struct loop *loop, lua_CFunction function, void *argument);

/* The same for what cannot wait until the next run, as a question whose answer is needed now: the
 * function is called also where the loop has halted. */
void call_at_once(struct loop *loop, lua_CFunction function, void *argument);

/* The same, but an error is the caller's: returns false with its text, cut to size, in message. */
bool call_caught(struct loop *loop, lua_CFunction function, void *argument, char *message,
                 size_t size);

/* Calls the handler below its arguments on the stack, for so many results; only inside
 * call_protected or call_caught. */
void call_handler(lua_State *L, int arguments, int results);

/* At the end of each call that may give the loop something to do: the event loop that runs ours, if
 * there is one, hears of that. */
void call_host(lua_State *L, struct loop *loop);

#endif
