#include "lua/loop.h"

#include "loop/leave.h"
#include "lua/failures.h"
#include "lua/object.h"

#include <lauxlib.h>

static const struct object_kind kind = {"steadysocket.loop", sizeof(struct loop),
                                        offsetof(struct loop, kind), LOOP_USER_VALUES};

/* The address of this variable is the registry's key for the loop of this process. */
static const char present;

void loop_push(lua_State *L, struct loop *loop)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, loop);
}

/* Lua finalizes the loop after all clients, timers and sources, since it was made before them. When
 * a handler calls os.exit with close = true, libuv's functions are still on the stack; then the
 * loop is not closed, and the process ends at once. */
static int loop_gc(lua_State *L)
{
    struct loop *loop = object_check(L, 1, &kind);
    if (!loop->L || loop->closed)
        return 0;
    loop->closed = true;
    steady_loop_leave(&loop->core);
    if (!steady_loop_is_turning(&loop->core))
        steady_loop_close(&loop->core);
    return 0;
}

static struct loop *loop_new(lua_State *L)
{
    struct failures *failures = failures_get(L);
    struct loop *loop = object_new(L, &kind);
    int error = steady_loop_init(&loop->core);
    if (error)
        luaL_error(L, "no event loop can be made: %s", uv_strerror(error));
    loop->failures = failures;
    loop->L = L;
    object_hold(L, -1); /* never released, even after a fork has made a new loop, because clients
                           refer to it */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &present);
    return loop;
}

struct loop *loop_get(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &present);
    struct loop *loop = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (loop && loop->closed)
        luaL_error(L, "the event loop is gone with its Lua state");
    if (!loop)
        return loop_new(L);
    if (!steady_loop_is_foreign(&loop->core))
        return loop;
    steady_loop_leave(&loop->core);
    return loop_new(L);
}

void loop_open(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", loop_gc}, {NULL, NULL}};
    object_open(L, &kind, meta);
    lua_pop(L, 1);
}
