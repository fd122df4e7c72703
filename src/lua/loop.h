/* The loop of a Lua state, as a userdata in the registry. */
#ifndef STEADY_LUA_LOOP_H
#define STEADY_LUA_LOOP_H

#include "net/loop.h"

#include <lua.h>
#include <stdbool.h>

struct failures;
struct object_kind;

struct loop {
    struct steady_loop core;
    const struct object_kind *kind;
    lua_State *L; /* what is inside run or step now: the main thread or a coroutine; NULL until the
                   * loop is complete */
    struct failures *failures; /* errors that wait to be raised; see lua/failures.h */
    bool closed;               /* with its Lua state, of which there still are finalizers to run */
    bool hosted;               /* another event loop runs it, whose function is in the user value */
};

enum { LOOP_WORK = 1, LOOP_USER_VALUES = LOOP_WORK };

/* The state's loop, made on first use, and once more on the first use behind a fork; raises when
 * that fails, or when the state is being closed. */
struct loop *loop_get(lua_State *L);

/* Pushes its userdata. Never fails. */
void loop_push(lua_State *L, struct loop *loop);

/* Makes the metatable of loops. */
void loop_open(lua_State *L);

#endif
