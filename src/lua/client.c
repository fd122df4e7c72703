#include "lua/client.h"

#include "client/inbox.h"
#include "client/outbox.h"
#include "client/trace.h"
#include "core/number.h"
#include "loop/leave.h"
#include "loop/watch.h"
#include "lua/call.h"
#include "lua/event.h"
#include "lua/handler.h"
#include "lua/log.h"
#include "lua/object.h"
#include "lua/options.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const struct object_kind kind = {"steadysocket.client", sizeof(struct client),
                                        offsetof(struct client, kind), HANDLERS};

/* Returns the client at index. Raises for any other value, for a client that is gone, and for a
 * client of the process that forked this one. */
static struct client *check_client(lua_State *L, int index)
{
    struct client *client = object_check(L, index, &kind);
    luaL_argcheck(L, client->loop && !client->loop->closed, index,
                  "the client is gone with its Lua state");
    luaL_argcheck(L, !steady_loop_is_foreign(&client->loop->core), index,
                  "the client belongs to the process of which this one is a fork");
    return client;
}

/* ------------------------------------------------------------------------- handlers */

static int handler_of(const struct steady_event *event)
{
    switch (event->type) {
    case STEADY_EVENT_OPEN:
        return HANDLER_OPEN;
    case STEADY_EVENT_CLOSE:
        return HANDLER_CLOSE;
    case STEADY_EVENT_ERROR:
        return HANDLER_ERROR;
    case STEADY_EVENT_DRAIN:
        return HANDLER_DRAIN;
    case STEADY_EVENT_PONG:
        return HANDLER_PONG;
    default:
        return HANDLER_STATUS;
    }
}

/* ------------------------------------------------------------------------- delivery */

/* This is called for each message, so it looks nothing up by name: deliver_protected has put the
 * strings "text" and "binary" at indices 3 and 4. */
static void handle_message(lua_State *L, struct client *client, const struct steady_event *event)
{
    if (lua_getiuservalue(L, 2, HANDLER_MESSAGE) == LUA_TFUNCTION) {
        lua_pushlstring(L, (const char *)event->data, event->size);
        lua_pushvalue(L, event->binary ? 4 : 3);
        lua_pushvalue(L, 2);
        call_handler(L, 3, 0);
    } else {
        lua_pop(L, 1);
        if (!steady_inbox_keep(&client->core, event))
            luaL_error(L, "not enough memory");
    }
}

static void log_it(lua_State *L, struct client *client, const struct steady_event *event)
{
    const struct log_request request = {client, client->core.options.name, client->environment,
                                        event};
    log_event(L, client->loop, &request);
}

static void handle(lua_State *L, struct client *client, const struct steady_event *event)
{
    if (event->type == STEADY_EVENT_INCOMPLETE)
        luaL_error(L, "not enough memory");
    if (event->type < STEADY_EVENT_MESSAGE)
        log_it(L, client, event);
    if (event->type == STEADY_EVENT_LINE)
        return;
    if (lua_getiuservalue(L, 2, handler_of(event)) == LUA_TFUNCTION) {
        int arguments = event_push(L, event);
        lua_pushvalue(L, 2);
        call_handler(L, arguments + 1, 0);
    } else {
        lua_pop(L, 1);
    }
}

/* (light userdata: the client). Delivers all events inside one protected call. When a handler
 * fails, the events behind its own stay queued. */
static int deliver_protected(lua_State *L)
{
    struct client *client = lua_touserdata(L, 1);
    struct steady_event event;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, client) == LUA_TNIL)
        return 0; /* the registry does not hold it: it is idle or closed */
    lua_pushliteral(L, "text");
    lua_pushliteral(L, "binary");
    while (!steady_loop_is_halted(&client->loop->core) &&
           steady_client_next(&client->core, &event)) {
        if (event.type == STEADY_EVENT_MESSAGE)
            handle_message(L, client, &event);
        else
            handle(L, client, &event);
    }
    if (lua_getiuservalue(L, 2, HANDLER_WATCH) == LUA_TFUNCTION &&
        !steady_loop_is_foreign(&client->loop->core))
        call_handler(L, 0, 0);
    return 0;
}

static void deliver(struct steady_client *core)
{
    struct client *client = (struct client *)core;
    call_protected(client->loop, deliver_protected, client);
}

static void release(struct steady_client *core)
{
    struct client *client = (struct client *)core;
    object_release(client->loop->L, client);
}

struct preparation {
    struct client *client;
    const char *option; /* whose function is being called */
};

/* (light userdata: the preparation). Calls the functions that some options may be, and sets the
 * options to what they return. */
static int prepare_protected(lua_State *L)
{
    struct preparation *preparation = lua_touserdata(L, 1);
    struct client *client = preparation->client;
    lua_rawgetp(L, LUA_REGISTRYINDEX, client);
    for (const struct options_provider *p = options_providers; p->name; p++) {
        preparation->option = p->name;
        if (lua_getiuservalue(L, 2, p->handler) == LUA_TNIL)
            continue;
        lua_pushinteger(L, client->core.session.attempt);
        lua_pushvalue(L, 2);
        call_handler(L, 2, 2);
        if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING)
            lua_error(L); /* it failed as Lua's own functions do: nil and a message */
        lua_pop(L, 1);
        p->replace(L, &client->core.options);
    }
    return 0;
}

static bool prepare(struct steady_client *core, char *message, size_t size)
{
    struct preparation preparation = {(struct client *)core, NULL};
    char problem[480];
    if (call_caught(preparation.client->loop, prepare_protected, &preparation, problem,
                    sizeof problem))
        return true;
    snprintf(message, size, "the %s function failed: %s", preparation.option, problem);
    return false;
}

struct decision {
    struct client *client;
    const struct steady_event *event;
    double delay;
};

/* (light userdata: the decision). Calls should_reconnect. */
static int decide_protected(lua_State *L)
{
    struct decision *decision = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, decision->client);
    if (lua_getiuservalue(L, 2, HANDLER_SHOULD_RECONNECT) == LUA_TNIL)
        return 0;
    event_push(L, decision->event);
    lua_pushvalue(L, 2);
    call_handler(L, 2, 1);
    double delay = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : 0;
    if (lua_type(L, -1) == LUA_TNUMBER && delay >= 0 && delay <= STEADY_MAX_SECONDS)
        decision->delay = delay;
    else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        decision->delay = -1;
    else if (!lua_isboolean(L, -1) && !lua_isnil(L, -1))
        luaL_error(L,
                   "should_reconnect returned %s; a boolean, nil, or seconds from 0 to %d expected",
                   text_push_value(L, -1), steady_int(STEADY_MAX_SECONDS));
    return 0;
}

/* should_reconnect is called only when the options say that there will be another attempt: it
 * cannot overrule reconnect = false or max_attempts. */
static double decide(struct steady_client *core, const struct steady_event *event)
{
    struct decision decision = {(struct client *)core, event, event->delay};
    if (event->delay >= 0)
        call_at_once(decision.client->loop, decide_protected, &decision);
    return decision.delay;
}

static const struct steady_client_owner owner = {deliver, release, prepare, decide};

/* ------------------------------------------------------------------------- methods */

/* Whether the kind of message at index, "text" (the default) or "binary", is "binary". */
static bool check_binary(lua_State *L, int index)
{
    static const char *const kinds[] = {"text", "binary", NULL};
    return text_check_option(L, index, "text", kinds) == 1;
}

/* Pushes what a method returns: true, or for an error nil, a message and a code. */
static int result(lua_State *L, const struct client *client, enum steady_error error,
                  const char *message)
{
    call_host(L, client->loop);
    if (error == STEADY_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (error == STEADY_NETWORK)
        return luaL_error(L, "not enough memory");
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", client->core.options.name, message);
    lua_pushstring(L, steady_error_name(error));
    return 3;
}

/* ws:connect([data [, kind]]) -> true | nil, message, code */
static int client_connect(lua_State *L)
{
    struct client *client = check_client(L, 1);
    size_t size = 0;
    const char *data = luaL_optlstring(L, 2, NULL, &size);
    bool binary = check_binary(L, 3);
    const char *problem = steady_watch_prepare(&client->loop->core);
    if (problem)
        return luaL_error(L, "connect: %s", problem);
    object_hold(L, 1);
    enum steady_error error =
        steady_client_connect(&client->core, (const uint8_t *)data, size, binary);
    if (!client->core.alive)
        object_release(L, client);
    return result(L, client, error,
                  error == STEADY_INVALID ? "the text is not UTF-8; send it as \"binary\""
                                          : "is connected already, or on its way");
}

static const char *explain_send(const struct client *client, enum steady_error error)
{
    switch (error) {
    case STEADY_CLOSED:
        return client->core.session.status == STEADY_STATUS_CLOSING ? "is closing" : "is closed";
    case STEADY_INVALID:
        return "the text is not UTF-8; send it as \"binary\"";
    default:
        return "the queue is full";
    }
}

/* ws:send(data [, kind]) -> true | nil, message, code */
static int client_send(lua_State *L)
{
    struct client *client = check_client(L, 1);
    size_t size;
    const char *data = luaL_checklstring(L, 2, &size);
    bool binary = !lua_isnoneornil(L, 3) && check_binary(L, 3);
    enum steady_error error =
        steady_client_send(&client->core, (const uint8_t *)data, size, binary);
    return result(L, client, error, error ? explain_send(client, error) : NULL);
}

static bool may_send_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* ws:close([code [, reason]]) -> true */
static int client_close(lua_State *L)
{
    struct client *client = check_client(L, 1);
    int code = steady_narrow(luaL_optinteger(L, 2, STEADY_CLOSE_NORMAL));
    size_t size = 0;
    const char *reason = luaL_optlstring(L, 3, "", &size);
    luaL_argcheck(L, may_send_code(code), 2,
                  "close codes are 1000 to 1003, 1007 to 1014, and 3000 to 4999");
    luaL_argcheck(L, size <= 123, 3, "a reason has at most 123 bytes");
    luaL_argcheck(L, strlen(reason) == size, 3, "a NUL byte inside");
    luaL_argcheck(L, steady_utf8_valid((const uint8_t *)reason, size), 3, "a reason must be UTF-8");
    object_hold(L, 1);
    enum steady_error error = steady_client_close(&client->core, (uint16_t)code, reason, size);
    if (!client->core.alive)
        object_release(L, client);
    return result(L, client, error, NULL);
}

/* ws:reconnect() -> true | nil, message, code */
static int client_reconnect(lua_State *L)
{
    struct client *client = check_client(L, 1);
    return result(L, client, steady_client_reconnect(&client->core), "is not connected");
}

/* ws:ping([data]) -> true | nil, message, code */
static int client_ping(lua_State *L)
{
    struct client *client = check_client(L, 1);
    size_t size = 0;
    const char *data = luaL_optlstring(L, 2, "", &size);
    luaL_argcheck(L, size <= STEADY_CONTROL_MAX, 2, "a ping has at most 125 bytes");
    enum steady_error error = steady_client_ping(&client->core, (const uint8_t *)data, size);
    return result(L, client, error, "is not connected");
}

/* ws:discard() -> integer: how many messages it dropped */
static int client_discard(lua_State *L)
{
    struct client *client = check_client(L, 1);
    size_t dropped = steady_client_discard(&client->core);
    call_host(L, client->loop);
    lua_pushinteger(L, (lua_Integer)dropped);
    return 1;
}

/* take(ws) -> data, kind | nil: the oldest message that no on_message got */
static int client_take(lua_State *L)
{
    struct client *client = check_client(L, 1);
    const struct steady_message *message = steady_inbox_peek(&client->core);
    if (!message)
        return 0;
    lua_pushlstring(L, (const char *)message->data, message->size);
    lua_pushstring(L, message->binary ? "binary" : "text");
    steady_client_taken(&client->core);
    call_host(L, client->loop);
    return 2;
}

/* watch(ws, fn | nil): has fn called after each delivery to the client */
static int client_watch(lua_State *L)
{
    struct client *client = check_client(L, 1);
    lua_settop(L, 2);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_isfunction(L, 2), 2, "function or nil");
    client->core.watched = !lua_isnil(L, 2);
    lua_setiuservalue(L, 1, HANDLER_WATCH);
    return 0;
}

/* is_client(value) -> boolean */
static int client_is_client(lua_State *L)
{
    lua_pushboolean(L, object_test(L, 1, &kind) != NULL);
    return 1;
}

/* settled(ws) -> boolean: whether no event waits for its handler */
static int client_settled(lua_State *L)
{
    lua_pushboolean(L, steady_events_empty(&check_client(L, 1)->core.events));
    return 1;
}

/* ws:pause()  ws:resume() */
static int set_pause(lua_State *L, bool pause)
{
    struct client *client = check_client(L, 1);
    steady_client_pause(&client->core, pause);
    call_host(L, client->loop);
    return 0;
}

static int client_pause(lua_State *L)
{
    return set_pause(L, true);
}

static int client_resume(lua_State *L)
{
    return set_pause(L, false);
}

/* ws:stats() -> table */
static int client_stats(lua_State *L)
{
    struct client *client = check_client(L, 1);
    struct steady_stats stats = steady_client_stats(&client->core);
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"accepted", stats.accepted},
        {"sent", stats.sent},
        {"resent", stats.resent},
        {"confirmed", stats.confirmed},
        {"dropped", stats.dropped},
        {"received", stats.received},
        {"bytes_sent", stats.bytes_sent},
        {"bytes_received", stats.bytes_received},
        {"pings", stats.pings},
        {"pongs", stats.pongs},
        {"attempts", stats.attempts},
        {"connections", stats.connections},
        {"failures", stats.failures},
        {"queued", steady_outbox_messages(&client->core)},
        {"unconfirmed", client->core.queue.sent_messages},
        {"retries", stats.retries},
        {"last_close", stats.last_close},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        lua_pushinteger(L, (lua_Integer)counters[i].value);
        lua_setfield(L, -2, counters[i].name);
    }
    lua_pushnumber(L, stats.connected);
    lua_setfield(L, -2, "time_connected");
    return 1;
}

/* ------------------------------------------------------------------------- properties */

static const char *current_url(const struct client *client)
{
    const struct steady_attempt *attempt = &client->core.attempt;
    const struct steady_options *options = &client->core.options;
    return attempt->url ? attempt->url->text : options->url_count ? options->urls[0].text : NULL;
}

static void get_url(lua_State *L, const struct client *client)
{
    lua_pushstring(L, current_url(client));
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

/* ws.name, where name is that of a method, a property or a handler. The upvalue is a table from
 * names to methods, to the numbers of handlers (which are positive), or to the negated indices of
 * properties. */
static int client_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER)
        return 1; /* every method checks its receiver itself */
    struct client *client = check_client(L, 1);
    lua_Integer number = lua_tointeger(L, -1);
    if (number > 0)
        lua_getiuservalue(L, 1, steady_narrow(number));
    else
        properties[-number].get(L, client);
    return 1;
}

/* The log of the client at index has changed. */
static void set_trace(lua_State *L, struct client *client, int index)
{
    enum steady_level own = log_level(L, index), other = client->environment;
    steady_client_trace(&client->core, own > other ? own : other);
}

/* ws.on_message = fn and so on */
static int client_newindex(lua_State *L)
{
    lua_settop(L, 3);
    struct client *client = check_client(L, 1);
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
        set_trace(L, client, 1);
    return 0;
}

static int client_tostring(lua_State *L)
{
    struct client *client = object_check(L, 1, &kind);
    const char *url = client->loop ? current_url(client) : NULL;
    if (client->loop)
        lua_pushfstring(L, "WebSocket client \"%s\" (%s%s%s)", client->core.options.name,
                        url ? url : "", url ? ", " : "",
                        steady_status_name(steady_client_status(&client->core)));
    else
        lua_pushliteral(L, "WebSocket client (gone)");
    return 1;
}

/* ------------------------------------------------------------------------- life cycle */

/* Whether some C function further up the stack still needs the client. The collector never
 * finalizes such a client, but a handler can: by os.exit with close = true, or by calling __gc. */
static bool is_in_use(const struct client *client)
{
    return client->core.entered ||
           (client->core.alive && steady_loop_is_running(&client->loop->core));
}

static int client_gc(lua_State *L)
{
    struct client *client = object_check(L, 1, &kind);
    if (!client->loop) {
        steady_options_free(&client->core.options);
    } else if (!client->loop->closed && !is_in_use(client)) {
        steady_loop_leave(&client->loop->core);
        steady_client_free(&client->core);
        client->loop = NULL;
        object_release(L, client);
    }
    return 0;
}

int client_new(lua_State *L)
{
    lua_settop(L, 3);
    struct loop *loop = loop_get(L); /* made first, so that Lua finalizes it after the client */
    struct client *client = object_new(L, &kind);
    steady_options_init(&client->core.options);
    int index = lua_gettop(L);
    options_read(L, index, &client->core.options);
    if (!steady_client_init(&client->core, &loop->core, &owner))
        return luaL_error(L, "not enough memory");
    client->loop = loop;
    client->environment = log_level_of_environment();
    set_trace(L, client, index);
    lua_settop(L, index);
    return 1;
}

void client_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"connect", client_connect}, {"send", client_send},
        {"close", client_close},     {"reconnect", client_reconnect},
        {"ping", client_ping},       {"discard", client_discard},
        {"pause", client_pause},     {"resume", client_resume},
        {"stats", client_stats},     {NULL, NULL},
    };
    static const luaL_Reg waiting[] = {{"is_client", client_is_client},
                                       {"take", client_take},
                                       {"watch", client_watch},
                                       {"settled", client_settled},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__newindex", client_newindex},
        {"__tostring", client_tostring},
        {"__gc", client_gc},
        {NULL, NULL},
    };
    luaL_setfuncs(L, waiting, 0);
    object_open(L, &kind, meta);
    luaL_newlib(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "methods");
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
    lua_pop(L, 1);
}
