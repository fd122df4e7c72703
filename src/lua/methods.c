#include "lua/methods.h"

#include "client/inbox.h"
#include "client/outbox.h"
#include "core/close_code.h"
#include "core/number.h"
#include "loop/watch.h"
#include "lua/call.h"
#include "lua/client.h"
#include "lua/handler.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <string.h>

/* Reads the kind of a message at index, "text" (the default) or "binary". Returns whether it is
 * "binary". */
static bool check_binary(lua_State *L, int index)
{
    static const char *const kinds[] = {"text", "binary", NULL};
    return text_check_option(L, index, "text", kinds) == 1;
}

/* Pushes the results of a method: true, or for an error nil, a message and a code. Returns how many
 * it has pushed. */
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
    struct client *client = client_check(L, 1);
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

/* The text may be on top of the stack. */
static const char *explain_send(lua_State *L, const struct client *client, enum steady_error error,
                                size_t size)
{
    switch (error) {
    case STEADY_MESSAGE_SIZE:
        return lua_pushfstring(L, "the message is larger than queue.max_bytes, %I > %I bytes",
                               (LUAI_UACINT)size,
                               (LUAI_UACINT)steady_size(client->core.options.queue.max_bytes));
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
    struct client *client = client_check(L, 1);
    size_t size;
    const char *data = luaL_checklstring(L, 2, &size);
    bool binary = !lua_isnoneornil(L, 3) && check_binary(L, 3);
    enum steady_error error =
        steady_client_send(&client->core, (const uint8_t *)data, size, binary);
    return result(L, client, error, error ? explain_send(L, client, error, size) : NULL);
}

/* Returns the close code at the index 2, and sets the reason at the index 3 (RFC 6455
 * sections 5.5.1 and 7.4). */
static uint16_t check_close(lua_State *L, const char **reason, size_t *size)
{
    int code = steady_narrow(luaL_optinteger(L, 2, STEADY_CLOSE_NORMAL));
    *reason = luaL_optlstring(L, 3, "", size);
    luaL_argcheck(L, steady_close_code_may_be_sent((unsigned)code), 2,
                  "close codes are 1000 to 1003, 1007 to 1014, and 3000 to 4999");
    luaL_argcheck(L, *size <= 123, 3, "a reason has at most 123 bytes");
    luaL_argcheck(L, strlen(*reason) == *size, 3, "a NUL byte inside");
    luaL_argcheck(L, steady_utf8_valid((const uint8_t *)*reason, *size), 3,
                  "a reason must be UTF-8");
    return (uint16_t)code;
}

/* ws:close([code [, reason]]) -> true */
static int client_close(lua_State *L)
{
    struct client *client = client_check(L, 1);
    size_t size;
    const char *reason;
    uint16_t code = check_close(L, &reason, &size);
    object_hold(L, 1);
    enum steady_error error = steady_client_close(&client->core, code, reason, size);
    if (!client->core.alive)
        object_release(L, client);
    return result(L, client, error, NULL);
}

/* ws:reconnect([code [, reason]]) -> true | nil, message, code */
static int client_reconnect(lua_State *L)
{
    struct client *client = client_check(L, 1);
    size_t size;
    const char *reason;
    uint16_t code = check_close(L, &reason, &size);
    enum steady_error error = steady_client_reconnect(&client->core, code, reason, size);
    return result(L, client, error, "is not connected");
}

/* ws:ping([data]) -> true | nil, message, code */
static int client_ping(lua_State *L)
{
    struct client *client = client_check(L, 1);
    size_t size = 0;
    const char *data = luaL_optlstring(L, 2, "", &size);
    luaL_argcheck(L, size <= STEADY_CONTROL_MAX, 2, "a ping has at most 125 bytes");
    enum steady_error error = steady_client_ping(&client->core, (const uint8_t *)data, size);
    return result(L, client, error, "is not connected");
}

/* ws:discard() -> integer, the number of messages that it has dropped */
static int client_discard(lua_State *L)
{
    struct client *client = client_check(L, 1);
    size_t dropped = steady_client_discard(&client->core);
    call_host(L, client->loop);
    lua_pushinteger(L, (lua_Integer)dropped);
    return 1;
}

/* take(ws) -> data, kind | nil. Removes and returns the oldest message that was not given to an
 * on_message. */
static int client_take(lua_State *L)
{
    struct client *client = client_check(L, 1);
    const struct steady_message *message = steady_inbox_peek(&client->core);
    if (!message)
        return 0;
    lua_pushlstring(L, (const char *)message->data, message->size);
    lua_pushstring(L, message->binary ? "binary" : "text");
    steady_client_taken(&client->core);
    call_host(L, client->loop);
    return 2;
}

/* watch(ws, fn | nil). From now on, fn is called after each delivery to the client. */
static int client_watch(lua_State *L)
{
    struct client *client = client_check(L, 1);
    lua_settop(L, 2);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_isfunction(L, 2), 2, "function or nil");
    client->core.watched = !lua_isnil(L, 2);
    lua_setiuservalue(L, 1, HANDLER_WATCH);
    return 0;
}

/* is_client(value) -> boolean */
static int client_is_client(lua_State *L)
{
    lua_pushboolean(L, object_test(L, 1, &client_kind) != NULL);
    return 1;
}

/* settled(ws) -> boolean. Returns whether no event waits for its handler. */
static int client_settled(lua_State *L)
{
    lua_pushboolean(L, steady_events_empty(&client_check(L, 1)->core.events));
    return 1;
}

/* ws:pause()  ws:resume() */
static int set_pause(lua_State *L, bool pause)
{
    struct client *client = client_check(L, 1);
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
    struct client *client = client_check(L, 1);
    struct steady_stats stats = steady_client_stats(&client->core);
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"accepted", stats.accepted},
        {"sent", stats.sent},
        {"resent", stats.resent},
        {"confirmed", stats.confirmed},
        {"greetings", stats.greetings},
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

void methods_push(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"connect", client_connect}, {"send", client_send},
        {"close", client_close},     {"reconnect", client_reconnect},
        {"ping", client_ping},       {"discard", client_discard},
        {"pause", client_pause},     {"resume", client_resume},
        {"stats", client_stats},     {NULL, NULL},
    };
    luaL_newlib(L, methods);
}

void methods_register_waiting(lua_State *L)
{
    static const luaL_Reg waiting[] = {{"is_client", client_is_client},
                                       {"take", client_take},
                                       {"watch", client_watch},
                                       {"settled", client_settled},
                                       {NULL, NULL}};
    luaL_setfuncs(L, waiting, 0);
}
