#include "binding.h"
#include "core/heartbeat.h"

#define HEARTBEAT "core.heartbeat"

struct bound {
    struct steady_heartbeat heartbeat;
    struct steady_heartbeat_options options;
};

static struct bound *check_heartbeat(lua_State *L)
{
    return luaL_checkudata(L, 1, HEARTBEAT);
}

/* heartbeat.new { interval, timeout, heard, on = true } -> heartbeat */
static int heartbeat_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct bound *bound = lua_newuserdatauv(L, sizeof *bound, 0);
    *bound = (struct bound){0};
    lua_getfield(L, 1, "interval");
    bound->options.interval = luaL_checknumber(L, -1);
    lua_getfield(L, 1, "timeout");
    bound->options.timeout = luaL_checknumber(L, -1);
    lua_getfield(L, 1, "heard");
    bound->heartbeat.heard = bound->heartbeat.texted = luaL_checknumber(L, -1);
    bound->options.on = lua_getfield(L, 1, "on") == LUA_TNIL || lua_toboolean(L, -1);
    lua_settop(L, 2);
    luaL_setmetatable(L, HEARTBEAT);
    return 1;
}

/* heartbeat:hear(now): bytes have come */
static int heartbeat_hear(lua_State *L)
{
    check_heartbeat(L)->heartbeat.heard = luaL_checknumber(L, 2);
    return 0;
}

/* heartbeat:deadline() -> seconds, or math.huge */
static int heartbeat_deadline(lua_State *L)
{
    struct bound *bound = check_heartbeat(L);
    lua_pushnumber(L, steady_heartbeat_deadline(&bound->heartbeat, &bound->options));
    return 1;
}

/* heartbeat:check(now) -> "alive" | "ask" | "dead" */
static int heartbeat_check(lua_State *L)
{
    static const char *const verdicts[] = {
        [STEADY_HEARTBEAT_ALIVE] = "alive",
        [STEADY_HEARTBEAT_ASK] = "ask",
        [STEADY_HEARTBEAT_DEAD] = "dead",
    };
    struct bound *bound = check_heartbeat(L);
    lua_pushstring(L, verdicts[steady_heartbeat_check(&bound->heartbeat, &bound->options,
                                                      luaL_checknumber(L, 2))]);
    return 1;
}

/* heartbeat:ask(covers, now) -> the ping's payload */
static int heartbeat_ask(lua_State *L)
{
    uint8_t payload[STEADY_HEARTBEAT_PING];
    struct bound *bound = check_heartbeat(L);
    steady_heartbeat_ask(&bound->heartbeat, &bound->options, (size_t)luaL_checkinteger(L, 2),
                         luaL_checknumber(L, 3), payload);
    lua_pushlstring(L, (char *)payload, sizeof payload);
    return 1;
}

/* heartbeat:repetition() -> seconds, or math.huge */
static int heartbeat_repetition(lua_State *L)
{
    lua_pushnumber(L, steady_heartbeat_repetition(&check_heartbeat(L)->heartbeat));
    return 1;
}

/* heartbeat:pong(payload, now) -> latency | nil, confirmed; or false when it is not ours */
static int heartbeat_pong(lua_State *L)
{
    size_t size, confirmed;
    double latency;
    const char *payload = luaL_checklstring(L, 2, &size);
    if (!steady_heartbeat_pong(&check_heartbeat(L)->heartbeat, (const uint8_t *)payload, size,
                               luaL_checknumber(L, 3), &latency, &confirmed)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    if (latency < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, latency);
    lua_pushinteger(L, (lua_Integer)confirmed);
    return 2;
}

void bind_heartbeat(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", heartbeat_new}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"hear", heartbeat_hear},
        {"deadline", heartbeat_deadline},
        {"check", heartbeat_check},
        {"repetition", heartbeat_repetition},
        {"ask", heartbeat_ask},
        {"pong", heartbeat_pong},
        {NULL, NULL},
    };
    luaL_newmetatable(L, HEARTBEAT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
