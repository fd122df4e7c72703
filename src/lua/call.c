#include "lua/call.h"

#include "loop/leave.h"

#include <stdio.h>

/* Errors that are not strings go through as they are; the others get the handler's traceback. */
static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* Makes a text of any error. */
static int describe_error(lua_State *L)
{
    if (!lua_isstring(L, 1) && !luaL_callmeta(L, 1, "__tostring"))
        lua_pushfstring(L, "the error is a %s value", luaL_typename(L, 1));
    return 1;
}

/* Takes the error off the stack; of several the first counts. */
static void keep_error(lua_State *L, struct loop *loop)
{
    if (!loop->failed) {
        loop_push(L, loop);
        lua_pushvalue(L, -2);
        lua_setiuservalue(L, -2, LOOP_ERROR);
        lua_pop(L, 1);
        loop->failed = true;
    }
    lua_pop(L, 1);
}

void call_protected(struct loop *loop, lua_CFunction function, void *argument)
{
    lua_State *L = loop->L;
    if (steady_loop_is_halted(&loop->core))
        return;
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    if (lua_pcall(L, 1, 0, -3) != LUA_OK) {
        keep_error(L, loop);
        steady_loop_halt(&loop->core);
    }
    lua_pop(L, 1);
    steady_loop_leave(&loop->core);
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

void call_raise(lua_State *L, struct loop *loop)
{
    if (!loop->failed)
        return;
    loop->failed = false;
    loop_push(L, loop);
    lua_getiuservalue(L, -1, LOOP_ERROR);
    lua_pushnil(L);
    lua_setiuservalue(L, -3, LOOP_ERROR);
    lua_error(L);
}

void call_handler(lua_State *L, int arguments, int results)
{
    lua_call(L, arguments, results);
}
