/* The loop of a Lua state, as a userdata in the registry, and the functions of the module that run
 * it. */
#ifndef STEADY_LUA_LOOP_H
#define STEADY_LUA_LOOP_H

#include "net/loop.h"

#include <lua.h>
#include <stdbool.h>

struct loop {
    struct steady_loop core;
    lua_State *L; /* what is inside run or step now: the main thread or a coroutine */
    bool failed;  /* an error waits in the user value */
    bool closed;  /* with its Lua state, of which there still are finalizers to run */
    bool hosted;  /* another event loop runs it, whose function is in the user value */
};

enum { LOOP_ERROR = 1, LOOP_WORK, LOOP_USER_VALUES = LOOP_WORK };

/* The state's loop, made on first use, and once more on the first use behind a fork; raises when
 * that fails, or when the state is being closed. */
struct loop *loop_get(lua_State *L);

/* Pushes its userdata. Never fails. */
void loop_push(lua_State *L, struct loop *loop);

/* At the end of each call that may give the loop something to do: the event loop that runs it, if
 * there is one, hears of that. */
void loop_tell(lua_State *L, struct loop *loop);

/* Adds what steadysocket/tasks.lua needs to the table on top of the stack: running, home, hold,
 * on_work. */
void loop_open(lua_State *L);

/* Adds run, step, stop, after, every, fd and timeout to the table on top of the stack. */
void loop_register(lua_State *L);

#endif
