#include "lua/call.h"

#include "loop/leave.h"
#include "lua/failures.h"

#include <stdio.h>

/* Adds the traceback of the handler that failed to an error that is a string. Leaves any other
 * error unchanged. */
static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* Turns an error, which may be any value, into a string. */
static int describe_error(lua_State *L)
{
    if (!lua_isstring(L, 1) && !luaL_callmeta(L, 1, "__tostring"))
        lua_pushfstring(L, "the error is a %s value", luaL_typename(L, 1));
    return 1;
}

void call_fail(lua_State *L, struct loop *loop)
{
    lua_pushcfunction(L, failures_add);
    lua_pushlightuserdata(L, loop->failures);
    lua_pushvalue(L, -3);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        failures_lose(loop->failures);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (steady_loop_is_turning(&loop->core))
        steady_loop_halt(&loop->core);
}

void call_at_once(struct loop *loop, lua_CFunction function, void *argument)
{
    lua_State *L = loop->L;
    if (steady_loop_is_foreign(&loop->core))
        return;
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    if (lua_pcall(L, 1, 0, -3) != LUA_OK)
        call_fail(L, loop);
    lua_pop(L, 1);
    steady_loop_leave(&loop->core);
}

void call_protected(struct loop *loop, lua_CFunction function, void *argument)
{
    if (!steady_loop_is_halted(&loop->core))
        call_at_once(loop, function, argument);
}

bool call_caught(struct loop *loop, lua_CFunction function, void *argument, char *message,
                 size_t size)
{
    lua_State *L = loop->L;
    lua_pushcfunction(L, describe_error);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    bool done = lua_pcall(L, 1, 0, -3) == LUA_OK;
    if (!done) {
        const char *text = lua_tostring(L, -1);
        snprintf(message, size, "%s", text ? text : "an error that cannot be described");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    steady_loop_leave(&loop->core);
    return done;
}

void call_handler(lua_State *L, int arguments, int results)
{
    lua_call(L, arguments, results);
}

void call_host(lua_State *L, struct loop *loop)
{
    if (!loop->hosted || !loop->core.changed || steady_loop_is_turning(&loop->core))
        return;
    loop->core.changed = false;
    loop_push(L, loop);
    lua_getiuservalue(L, -1, LOOP_WORK);
    call_handler(L, 0, 0);
    lua_pop(L, 1);
}
