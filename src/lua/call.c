#include "lua/call.h"

/* Errors that are not strings go through as they are; the others get the handler's traceback. */
static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

void call_protected(struct loop *loop, lua_CFunction function, void *argument)
{
    lua_State *L = loop->L;
    if (loop->core.halted)
        return;
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    if (lua_pcall(L, 1, 0, -3) != LUA_OK) {
        loop_push(L, loop);
        lua_insert(L, -2);
        lua_setiuservalue(L, -2, LOOP_ERROR);
        lua_pop(L, 1);
        loop->failed = true;
        steady_loop_halt(&loop->core);
    }
    lua_pop(L, 1);
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

void call_handler(lua_State *L, int arguments)
{
    lua_call(L, arguments, 0);
}
