/* Calls Lua functions; no other file does. A callback of the loop must not let a Lua error jump
 * over libwebsockets and libuv. So everything that can raise an error runs inside call_protected,
 * and the error waits until the loop has returned. */
#ifndef STEADY_LUA_CALL_H
#define STEADY_LUA_CALL_H

#include "lua/loop.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Pops an error, which may be any value, and keeps it until a run or step raises it. A loop that is
 * inside run or step halts. This function never fails. */
void call_fail(lua_State *L, struct loop *loop);

/* Calls `function` with `argument` as a light userdata, on the Lua thread that is inside run or
 * step now. When it raises an error, the error is kept and the loop halts. On a loop that has
 * halted this does nothing, because no handler is called until the next run. */
void call_protected(struct loop *loop, lua_CFunction function, void *argument);

/* Works like call_protected, but calls the function on a loop that has halted as well. This is for
 * calls that cannot wait until the next run, for example when an answer is needed now. */
void call_at_once(struct loop *loop, lua_CFunction function, void *argument);

/* Works like call_at_once, but the caller gets the error. Returns false when the function raises an
 * error, and writes the error's text to `message`, which has room for `size` bytes. A longer text
 * is cut. */
bool call_caught(struct loop *loop, lua_CFunction function, void *argument, char *message,
                 size_t size);

/* Works like lua_call. May be called only inside call_protected, call_at_once or call_caught. */
void call_handler(lua_State *L, int arguments, int results);

/* Tells the event loop that runs ours, if there is one, that there is something to do. Every
 * function that may have given the loop something to do has to call this before it returns. */
void call_host(lua_State *L, struct loop *loop);

#endif
