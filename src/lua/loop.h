/* The loop of a Lua state, as a userdata in the registry. */
#ifndef STEADY_LUA_LOOP_H
#define STEADY_LUA_LOOP_H

#include "loop/loop.h"

#include <lua.h>
#include <stdbool.h>

struct failures;
struct object_kind;

struct loop {
    struct steady_loop core;
    const struct object_kind *kind;
    lua_State *L; /* the Lua thread that is inside run or step now, or was inside last; NULL until
                     the loop is complete */
    struct failures *failures; /* errors that have not been raised yet; see lua/failures.h */
    bool closed; /* whether the Lua state is being closed; other finalizers may still run */
    bool hosted; /* whether another event loop runs this one; the user value LOOP_WORK is then the
                    function that tells it of work */
};

enum { LOOP_WORK = 1, LOOP_USER_VALUES = LOOP_WORK };

/* Returns the loop of this Lua state and process, which is made at the first call. Raises when that
 * fails, and when the state is being closed. */
struct loop *loop_get(lua_State *L);

/* Pushes the loop's userdata. This function never fails. */
void loop_push(lua_State *L, struct loop *loop);

/* Makes the metatable of loops. */
void loop_open(lua_State *L);

#endif
