#include "lua/properties.h"

#include "client/outbox.h"
#include "core/number.h"
#include "lua/client.h"
#include "lua/handler.h"
#include "lua/log.h"
#include "lua/text.h"

#include <lauxlib.h>

static void get_url(lua_State *L, const struct client *client)
{
    lua_pushstring(L, client_url(client));
}

static void get_name(lua_State *L, const struct client *client)
{
    lua_pushstring(L, client->core.options.name);
}

static void get_status(lua_State *L, const struct client *client)
{
    lua_pushstring(L, steady_status_name(steady_client_status(&client->core)));
}

static void get_protocol(lua_State *L, const struct client *client)
{
    lua_pushstring(L, client->core.subprotocol);
}

static void get_compression(lua_State *L, const struct client *client)
{
    const struct steady_link *link = &client->core.link;
    lua_pushboolean(L,
                    steady_client_has_link(&client->core) && link->protocol.deflate.parameters.on);
}

static void get_buffered_amount(lua_State *L, const struct client *client)
{
    lua_pushinteger(L, (lua_Integer)steady_client_buffered(&client->core));
}

static void get_queued(lua_State *L, const struct client *client)
{
    lua_pushinteger(L, (lua_Integer)steady_outbox_messages(&client->core));
}

static void get_unconfirmed(lua_State *L, const struct client *client)
{
    lua_pushinteger(L, (lua_Integer)client->core.queue.sent_messages);
}

static void get_latency(lua_State *L, const struct client *client)
{
    if (client->core.latency >= 0)
        lua_pushnumber(L, client->core.latency);
    else
        lua_pushnil(L);
}

static void get_attempt(lua_State *L, const struct client *client)
{
    lua_pushinteger(L, client->core.session.attempt);
}

static void get_last_error(lua_State *L, const struct client *client)
{
    lua_pushstring(L, client->core.last_error);
}

static const struct property {
    const char *name;
    void (*get)(lua_State *L, const struct client *client);
} properties[] = {
    {"url", get_url},
    {"name", get_name},
    {"status", get_status},
    {"protocol", get_protocol},
    {"compression", get_compression},
    {"buffered_amount", get_buffered_amount},
    {"queued", get_queued},
    {"unconfirmed", get_unconfirmed},
    {"latency", get_latency},
    {"attempt", get_attempt},
    {"last_error", get_last_error},
};

#define PROPERTIES (sizeof properties / sizeof *properties)

/* Reads ws.name, where `name` is that of a method, a property or a handler. The upvalue is a table
 * from names to methods, to the numbers of handlers (which are positive), or to the negated indices
 * of properties. */
static int client_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER)
        return 1; /* every method checks its receiver by itself */
    struct client *client = client_check(L, 1);
    lua_Integer number = lua_tointeger(L, -1);
    if (number > 0)
        lua_getiuservalue(L, 1, steady_narrow(number));
    else
        properties[-number].get(L, client);
    return 1;
}

static int client_newindex(lua_State *L)
{
    lua_settop(L, 3);
    struct client *client = client_check(L, 1);
    bool is_name = lua_type(L, 2) == LUA_TSTRING;
    const char *name = is_name ? text_check(L, 2) : luaL_tolstring(L, 2, NULL);
    int handler = is_name ? handler_find(name) : 0;
    if (!handler)
        return luaL_error(L, "'%s' cannot be set: only handlers can (on_open, on_message, …)",
                          text_push_value(L, 2));
    lua_pushvalue(L, 3);
    const char *expected = handler == HANDLER_LOG ? log_set(L, 1) : handler_set(L, 1, handler);
    if (expected)
        return luaL_error(L, "'%s' is a %s, %s expected", name, luaL_typename(L, 3), expected);
    if (handler == HANDLER_LOG)
        client_set_trace(L, client, 1);
    if (handler == HANDLER_MESSAGE && client->core.inbox.waiting_messages) /* it gets these soon */
        steady_ready_add(&client->loop->core, &client->core.ready);
    return 0;
}

static int client_tostring(lua_State *L)
{
    struct client *client = object_check(L, 1, &client_kind);
    const char *url = client->loop ? client_url(client) : NULL;
    if (client->loop)
        lua_pushfstring(L, "WebSocket client \"%s\" (%s%s%s)", client->core.options.name,
                        url ? url : "", url ? ", " : "",
                        steady_status_name(steady_client_status(&client->core)));
    else
        lua_pushliteral(L, "WebSocket client (gone)");
    return 1;
}

void properties_register(lua_State *L)
{
    static const luaL_Reg others[] = {
        {"__newindex", client_newindex},
        {"__tostring", client_tostring},
        {NULL, NULL},
    };
    for (size_t i = 0; i < PROPERTIES; i++) {
        lua_pushinteger(L, -(lua_Integer)i);
        lua_setfield(L, -2, properties[i].name);
    }
    for (int i = 1; i <= HANDLER_LOG; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, handler_names[i]);
    }
    lua_pushcclosure(L, client_index, 1);
    lua_setfield(L, -2, "__index");
    luaL_setfuncs(L, others, 0);
}
