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

/* The errors of this Lua state that wait to be raised: of handlers that failed in one turn, each
 * comes out of a run or step of its own. Made on first use; stays as long as the state. */
struct failures;
struct failures *call_failures(lua_State *L);

/* Takes the error on top of the stack, which may be any value, off it, and keeps it behind those
 * that wait already. Inside run or step the loop halts. Never fails: what there is no memory for is
 * counted, and its number raised in the end. */
void call_keep_error(lua_State *L, struct loop *loop);

/* Whether an error waits. */
bool call_has_failed(const struct loop *loop);

/* Raises the error that has waited longest, if there is one. */
void call_raise(lua_State *L, struct loop *loop);

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

#endif
