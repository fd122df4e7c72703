#include "binding.h"
#include "core/session.h"

#include <math.h>

#define SESSION "core.session"

struct bound {
    struct steady_session session;
    struct steady_session_options options;
};

/* Names of events and actions, in the order of their enums. */
static const char *const events[] = {"connect", "close", "reconnect", "begun", "opened",
                                     "failed",  "lost",  "due",       NULL};
static const char *const actions[] = {
    [STEADY_ACTION_NONE] = "none",         [STEADY_ACTION_ATTEMPT] = "attempt",
    [STEADY_ACTION_DROP] = "drop",         [STEADY_ACTION_FINISH] = "finish",
    [STEADY_ACTION_TIME_OUT] = "time_out",
};

static struct steady_session *check_session(lua_State *L)
{
    return &((struct bound *)luaL_checkudata(L, 1, SESSION))->session;
}

static double field(lua_State *L, const char *name, double otherwise)
{
    lua_getfield(L, 1, name);
    double value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

static int switched(lua_State *L, const char *name)
{
    int on = lua_getfield(L, 1, name) == LUA_TNIL || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* session.new { min_delay, max_delay, factor, jitter, min_uptime, max_attempts, connect_timeout,
 * close_timeout, reconnect } -> session; what is missing has the module's default */
static int session_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct bound *bound = lua_newuserdatauv(L, sizeof *bound, 0);
    *bound = (struct bound){
        .options =
            {
                .backoff =
                    {
                        .min_delay = field(L, "min_delay", 0.5),
                        .max_delay = field(L, "max_delay", 30),
                        .factor = field(L, "factor", 2),
                        .jitter = field(L, "jitter", 1),
                    },
                .min_uptime = field(L, "min_uptime", 5),
                .max_attempts = field(L, "max_attempts", INFINITY),
                .connect_timeout = field(L, "connect_timeout", 10),
                .close_timeout = field(L, "close_timeout", 5),
                .reconnect = switched(L, "reconnect"),
            },
        .session = {.deadline = INFINITY},
    };
    bound->session.options = &bound->options;
    luaL_setmetatable(L, SESSION);
    return 1;
}

/* session:handle(event, now [, delay]) -> action; delay is -1 when it is not given */
static int session_handle(lua_State *L)
{
    struct steady_session *session = check_session(L);
    enum steady_session_event event =
        (enum steady_session_event)luaL_checkoption(L, 2, NULL, events);
    double now = luaL_checknumber(L, 3);
    double delay = luaL_optnumber(L, 4, -1);
    lua_pushstring(L, actions[steady_session_handle(session, event, now, delay)]);
    return 1;
}

/* session:delay(now, random) -> seconds, or -1 */
static int session_delay(lua_State *L)
{
    const struct steady_session *session = check_session(L);
    double now = luaL_checknumber(L, 2);
    lua_pushnumber(L, steady_session_delay(session, now, luaL_checknumber(L, 3)));
    return 1;
}

/* session:status() -> name */
static int session_status(lua_State *L)
{
    lua_pushstring(L, steady_status_name(check_session(L)->status));
    return 1;
}

/* session:attempt() -> integer */
static int session_attempt(lua_State *L)
{
    lua_pushinteger(L, check_session(L)->attempt);
    return 1;
}

/* session:deadline() -> seconds on the caller's clock */
static int session_deadline(lua_State *L)
{
    lua_pushnumber(L, check_session(L)->deadline);
    return 1;
}

/* session:active() -> boolean */
static int session_active(lua_State *L)
{
    lua_pushboolean(L, steady_session_active(check_session(L)));
    return 1;
}

void bind_session(lua_State *L)
{
    static const luaL_Reg methods[] = {{"handle", session_handle},
                                       {"delay", session_delay},
                                       {"status", session_status},
                                       {"attempt", session_attempt},
                                       {"deadline", session_deadline},
                                       {"active", session_active},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", session_new}, {NULL, NULL}};
    luaL_newmetatable(L, SESSION);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
