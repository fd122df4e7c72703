#include "lua/loop.h"

#include "core/number.h"
#include "lua/call.h"
#include "lua/timer.h"

#include <lauxlib.h>
#include <math.h>

static const char registry_key; /* its address */

void loop_push(lua_State *L, struct loop *loop)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, loop);
}

/* The last of our finalizers, as the loop is older than all that needs it. Inside a handler
 * (os.exit with close = true) the process is about to end, and libuv must not be pulled away under
 * its own feet. */
static int loop_gc(lua_State *L)
{
    struct loop *loop = lua_touserdata(L, 1);
    loop->closed = true;
    steady_loop_leave(&loop->core);
    if (!loop->core.running)
        steady_loop_close(&loop->core);
    return 0;
}

static struct loop *loop_new(lua_State *L)
{
    struct loop *loop = lua_newuserdatauv(L, sizeof *loop, LOOP_USER_VALUES);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, loop_gc);
    lua_setfield(L, -2, "__gc");
    int error = steady_loop_init(&loop->core);
    if (error)
        luaL_error(L, "no event loop can be made: %s", uv_strerror(error));
    loop->L = L;
    loop->failed = loop->closed = loop->hosted = false;
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, loop); /* for good, also when a fork has made another */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
    return loop;
}

struct loop *loop_get(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
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

void loop_tell(lua_State *L, struct loop *loop)
{
    if (!loop->hosted || !loop->core.changed || loop->core.running)
        return;
    loop->core.changed = false;
    loop_push(L, loop);
    lua_getiuservalue(L, -1, LOOP_WORK);
    call_handler(L, 0, 0);
    lua_pop(L, 1);
}

/* Every wait goes through here: not inside a handler, which would never return to the loop. */
static struct loop *enter(lua_State *L, const char *name)
{
    struct loop *loop = loop_get(L);
    if (loop->core.running)
        luaL_error(L, "%s: the loop is running already; a handler must return to it", name);
    call_raise(L, loop);
    loop->L = L;
    return loop;
}

/* run() */
static int module_run(lua_State *L)
{
    struct loop *loop = enter(L, "run");
    steady_loop_run(&loop->core);
    call_raise(L, loop);
    /* A child that a handler forked goes on with what is its own. */
    return steady_loop_is_foreign(&loop->core) && !loop_get(L)->core.stopped ? module_run(L) : 0;
}

/* step([timeout]) -> boolean: whether work is left */
static int module_step(lua_State *L)
{
    double timeout = luaL_optnumber(L, 1, -1);
    luaL_argcheck(L, lua_isnoneornil(L, 1) || timeout >= 0, 1, "seconds, 0 or more, expected");
    struct loop *loop = enter(L, "step");
    bool left = steady_loop_step(&loop->core, timeout);
    call_raise(L, loop);
    if (steady_loop_is_foreign(&loop->core))
        left = loop_get(L)->core.alive > 0;
    lua_pushboolean(L, left);
    return 1;
}

/* stop() */
static int module_stop(lua_State *L)
{
    steady_loop_stop(&loop_get(L)->core);
    return 0;
}

/* fd() -> integer */
static int module_fd(lua_State *L)
{
    lua_pushinteger(L, steady_loop_fd(&loop_get(L)->core));
    return 1;
}

/* timeout() -> seconds | nil: for ever */
static int module_timeout(lua_State *L)
{
    double seconds = steady_loop_timeout(&loop_get(L)->core);
    if (seconds < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, seconds);
    return 1;
}

/* running() -> boolean: whether a handler or a task calls */
static int internal_running(lua_State *L)
{
    lua_pushboolean(L, loop_get(L)->core.running);
    return 1;
}

/* home() -> light userdata: the loop that tasks are on now; another one behind a fork */
static int internal_home(lua_State *L)
{
    lua_pushlightuserdata(L, loop_get(L));
    return 1;
}

/* hold(n): a task (1) keeps the loop alive, or does not any more (-1) */
static int internal_hold(lua_State *L)
{
    loop_get(L)->core.alive += (size_t)steady_narrow(luaL_checkinteger(L, 1));
    return 0;
}

/* on_work(fn | nil): has fn called when a call from outside of the loop gave it something to do */
static int internal_on_work(lua_State *L)
{
    struct loop *loop = loop_get(L);
    lua_settop(L, 1);
    loop->hosted = !lua_isnil(L, 1);
    loop_push(L, loop);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, LOOP_WORK);
    return 0;
}

void loop_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"running", internal_running},
                                         {"home", internal_home},
                                         {"hold", internal_hold},
                                         {"on_work", internal_on_work},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

void loop_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"run", module_run},         {"step", module_step},
        {"stop", module_stop},       {"fd", module_fd},
        {"timeout", module_timeout}, {"after", timer_after},
        {"every", timer_every},      {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
