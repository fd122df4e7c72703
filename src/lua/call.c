#include "lua/call.h"

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

/* ------------------------------------------------------------------------- errors that wait */

/* The errors are in the user value, a table with the indices from next to last. They belong to the
 * Lua state and not to one loop: a child that is forked has another loop. */
struct failures {
    lua_Integer next, last;
    size_t lost; /* errors that there was no memory to keep */
};

static const char failures_key; /* its address */

struct failures *call_failures(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &failures_key);
    struct failures *failures = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (failures)
        return failures;
    failures = lua_newuserdatauv(L, sizeof *failures, 1);
    *failures = (struct failures){.next = 1};
    lua_createtable(L, 4, 0);
    lua_setiuservalue(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failures_key);
    return failures;
}

static void push_table(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &failures_key);
    lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
}

/* (light userdata: the failures, the error) */
static int append(lua_State *L)
{
    struct failures *failures = lua_touserdata(L, 1);
    push_table(L);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, failures->last + 1);
    failures->last++;
    return 0;
}

void call_keep_error(lua_State *L, struct loop *loop)
{
    lua_pushcfunction(L, append);
    lua_pushlightuserdata(L, loop->failures);
    lua_pushvalue(L, -3);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        loop->failures->lost++;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (loop->core.running)
        steady_loop_halt(&loop->core);
}

bool call_has_failed(const struct loop *loop)
{
    const struct failures *failures = loop->failures;
    return failures->next <= failures->last || failures->lost > 0;
}

void call_raise(lua_State *L, struct loop *loop)
{
    struct failures *failures = loop->failures;
    if (failures->next <= failures->last) {
        lua_Integer index = failures->next++;
        push_table(L);
        lua_rawgeti(L, -1, index);
        lua_pushnil(L);
        lua_rawseti(L, -3, index);
        if (failures->next > failures->last)
            *failures = (struct failures){.next = 1, .lost = failures->lost};
        lua_error(L);
    }
    size_t lost = failures->lost;
    failures->lost = 0;
    if (lost)
        luaL_error(L, "not enough memory to keep %I more errors", (LUAI_UACINT)lost);
}

/* ------------------------------------------------------------------------- calls */

void call_at_once(struct loop *loop, lua_CFunction function, void *argument)
{
    lua_State *L = loop->L;
    if (steady_loop_is_foreign(&loop->core))
        return;
    lua_pushcfunction(L, add_traceback);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    if (lua_pcall(L, 1, 0, -3) != LUA_OK)
        call_keep_error(L, loop);
    lua_pop(L, 1);
    steady_loop_leave(&loop->core);
}

void call_protected(struct loop *loop, lua_CFunction function, void *argument)
{
    if (!loop->core.halted)
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
