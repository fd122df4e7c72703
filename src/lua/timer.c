#include "lua/timer.h"

#include "loop/timer.h"
#include "lua/call.h"
#include "lua/loop.h"
#include "lua/object.h"

#include <lauxlib.h>
#include <math.h>

enum { TIMER_FUNCTION = 1, TIMER_USER_VALUES = 1 };

/* While a timer is armed, the registry refers to it, and the loop counts it as alive. */
struct timer {
    const struct object_kind *kind;
    struct loop *loop;
    struct steady_timer *core; /* NULL when it could not be made, and when the timer is gone */
    double due;                /* the time of the next call, in seconds on the loop's clock */
    double interval;           /* seconds; negative for a timer that fires only once */
    bool armed;
};

static const struct object_kind kind = {"steadysocket.timer", sizeof(struct timer),
                                        offsetof(struct timer, kind), TIMER_USER_VALUES};

/* Stops the timer, unless the loop is closed and has freed it. */
static void disarm(lua_State *L, struct timer *timer)
{
    if (!timer->armed || timer->loop->closed)
        return;
    timer->armed = false;
    timer->loop->core.alive--;
    timer->loop->core.changed = true; /* the loop may have nothing to wait for any more */
    steady_timer_stop(timer->core);
    object_release(L, timer);
}

/* Sets the time of the next call: one interval after the due time of this call, however late this
 * call is. Calls that were missed are left out. */
static void next_turn(struct timer *timer)
{
    double now = steady_loop_exact_time(&timer->loop->core);
    timer->due += timer->interval;
    if (timer->due < now)
        timer->due = now;
    steady_timer_start(timer->core, timer->due - now);
}

static int call_function(lua_State *L)
{
    struct timer *timer = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, timer);
    lua_getiuservalue(L, -1, TIMER_FUNCTION);
    if (timer->interval < 0)
        disarm(L, timer);
    else
        next_turn(timer);
    call_handler(L, 0, 0);
    return 0;
}

static void due(void *owner)
{
    struct timer *timer = owner;
    call_protected(timer->loop, call_function, timer);
}

static int start(lua_State *L, double seconds, double interval)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct loop *loop = loop_get(L);
    struct timer *timer = object_new(L, &kind);
    timer->loop = loop;
    timer->interval = interval;
    timer->core = steady_timer_new(&loop->core, due, timer);
    if (!timer->core)
        return luaL_error(L, "not enough memory");
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, TIMER_FUNCTION);
    object_hold(L, -1);
    timer->armed = true;
    loop->core.alive++;
    timer->due = steady_loop_exact_time(&loop->core) + seconds;
    steady_timer_start(timer->core, seconds);
    call_host(L, loop);
    return 1;
}

/* after(seconds, fn) -> timer */
static int module_after(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && isfinite(seconds), 1,
                  "a finite number of seconds, 0 or more, expected");
    return start(L, seconds, -1);
}

/* every(seconds, fn) -> timer */
static int module_every(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0.001 && isfinite(seconds), 1,
                  "a finite number of seconds, 0.001 or more, expected");
    return start(L, seconds, seconds);
}

/* timer:cancel() */
static int timer_cancel(lua_State *L)
{
    struct timer *timer = object_check(L, 1, &kind);
    disarm(L, timer);
    call_host(L, timer->loop);
    return 0;
}

static int timer_gc(lua_State *L)
{
    struct timer *timer = object_check(L, 1, &kind);
    if (timer->core && !timer->loop->closed) {
        disarm(L, timer);
        steady_timer_free(timer->core);
    }
    timer->core = NULL;
    timer->armed = false;
    return 0;
}

void timer_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"cancel", timer_cancel}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", timer_gc}, {NULL, NULL}};
    object_open(L, &kind, meta);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void timer_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"after", module_after}, {"every", module_every}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
