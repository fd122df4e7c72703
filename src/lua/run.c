#include "lua/run.h"

#include "core/options.h"
#include "lua/call.h"
#include "lua/failures.h"
#include "lua/loop.h"

#include <lauxlib.h>

/* The address of this variable is the registry's key for the function about tasks. */
static const char rest_key;

/* Begins run or step. Raises when a handler calls them, since a handler has to return to the loop.
 * Also raises an error that is left from before. */
static struct loop *enter(lua_State *L, const char *name)
{
    struct loop *loop = loop_get(L);
    if (steady_loop_is_turning(&loop->core))
        luaL_error(L, "%s: the loop is running already; a handler must return to it", name);
    failures_raise(L, loop->failures);
    loop->L = L;
    return loop;
}

/* Returns whether nothing will happen unless somebody calls a function of the module. */
static bool is_at_rest(struct loop *loop)
{
    return !loop->core.alive && !failures_any(loop->failures) &&
           steady_loop_timeout(&loop->core) != 0;
}

/* Returns whether a task is left. `call` is "run" or "step" when that call would wait for the task
 * for ever, and otherwise NULL. When `call` is not NULL and a task is left, this function raises an
 * error that says where the tasks wait. */
static bool has_tasks(lua_State *L, const char *call)
{
    bool left = false;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &rest_key) == LUA_TFUNCTION) {
        lua_pushstring(L, call);
        call_handler(L, 1, 1);
        left = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
    return left;
}

/* run() */
static int module_run(lua_State *L)
{
    struct loop *loop = enter(L, "run");
    bool stopped = false;
    while (!stopped && (loop->core.alive || has_tasks(L, is_at_rest(loop) ? "run" : NULL))) {
        if (loop->core.alive)
            steady_loop_run(&loop->core);
        else /* a client at rest still has an event whose handler may wake a task */
            steady_loop_step(&loop->core, 0);
        failures_raise(L, loop->failures);
        if (steady_loop_is_foreign(&loop->core)) /* a handler has forked, and this is the child */
            return loop_get(L)->core.stopped ? 0 : module_run(L);
        stopped = loop->core.stopped;
    }
    return 0;
}

/* step([timeout]) -> boolean. Returns whether work is left. */
static int module_step(lua_State *L)
{
    double timeout = luaL_optnumber(L, 1, -1);
    luaL_argcheck(L, lua_isnoneornil(L, 1) || timeout >= 0, 1, "seconds, 0 or more, expected");
    if (timeout > STEADY_MAX_SECONDS)
        timeout = -1;
    struct loop *loop = enter(L, "step");
    /* steady_loop_step does not wait when nothing is alive. But a program that is told that work is
     * left calls step again and again. So when only tasks are left, one more thing counts as alive,
     * so that the step waits. */
    bool only_tasks =
        !loop->core.alive && has_tasks(L, timeout < 0 && is_at_rest(loop) ? "step" : NULL);
    loop->core.alive += only_tasks;
    steady_loop_step(&loop->core, timeout);
    loop->core.alive -= only_tasks;
    failures_raise(L, loop->failures);
    lua_pushboolean(L, loop_get(L)->core.alive > 0 || has_tasks(L, NULL));
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

/* timeout() -> seconds | nil. Returns nil when the caller may wait for ever. */
static int module_timeout(lua_State *L)
{
    struct loop *loop = loop_get(L);
    double seconds = failures_any(loop->failures) ? 0 : steady_loop_timeout(&loop->core);
    steady_loop_promise(&loop->core, seconds); /* the caller is about to poll for this time */
    if (seconds < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, seconds);
    return 1;
}

/* running() -> boolean. Returns whether it was called in a handler or a task. */
static int internal_running(lua_State *L)
{
    lua_pushboolean(L, steady_loop_is_turning(&loop_get(L)->core));
    return 1;
}

/* home() -> light userdata. Returns the address of the loop, which is another one in a forked
 * child. */
static int internal_home(lua_State *L)
{
    lua_pushlightuserdata(L, loop_get(L));
    return 1;
}

/* at_rest() -> boolean. Returns the result of is_at_rest. */
static int internal_at_rest(lua_State *L)
{
    lua_pushboolean(L, is_at_rest(loop_get(L)));
    return 1;
}

/* on_rest(fn). Sets the function that knows whether a task is left; see has_tasks. */
static int internal_on_rest(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &rest_key);
    return 0;
}

/* fail(error). Keeps an error, which may be any value, for run or step to raise. */
static int internal_fail(lua_State *L)
{
    lua_settop(L, 1);
    call_fail(L, loop_get(L));
    return 0;
}

/* on_work(fn | nil). Sets the function that is called whenever another function of the module,
 * called outside of the loop, has given the loop something to do. */
static int internal_on_work(lua_State *L)
{
    struct loop *loop = loop_get(L);
    lua_settop(L, 1);
    luaL_argexpected(L, lua_isnil(L, 1) || lua_isfunction(L, 1), 1, "function or nil");
    loop->hosted = !lua_isnil(L, 1);
    loop_push(L, loop);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, LOOP_WORK);
    return 0;
}

void run_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"running", internal_running},
                                         {"home", internal_home},
                                         {"at_rest", internal_at_rest},
                                         {"on_rest", internal_on_rest},
                                         {"fail", internal_fail},
                                         {"on_work", internal_on_work},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

void run_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"run", module_run}, {"step", module_step},       {"stop", module_stop},
        {"fd", module_fd},   {"timeout", module_timeout}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
