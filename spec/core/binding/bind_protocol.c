#include "binding.h"
#include "bytes.h"
#include "compression.h"
#include "core/number.h"
#include "core/protocol.h"

#include <stdlib.h>

#define PROTOCOL "core.protocol"

/* A connection, its own source of keys, and the input it borrows. */
struct connection {
    struct steady_protocol protocol;
    struct steady_random random;
    uint32_t keys_made, refills;
    uint8_t *input;
};

static struct connection *check_connection(lua_State *L)
{
    return luaL_checkudata(L, 1, PROTOCOL);
}

/* The n-th key of every connection: no two are equal, since each step can be undone. */
static uint32_t make_key(uint32_t n)
{
    n = (n + 1) * UINT32_C(2654435761);
    n ^= n >> 15;
    n *= UINT32_C(2246822519);
    return n ^ n >> 13;
}

static void refill(void *context, uint8_t *bytes, size_t size)
{
    struct connection *connection = context;
    connection->refills++;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t key = make_key(connection->keys_made++);
        memcpy(bytes + i, &key, 4);
    }
}

/* protocol.key(n) -> the n-th key, from 0, that a connection draws */
static int protocol_key(lua_State *L)
{
    uint32_t key = make_key((uint32_t)luaL_checkinteger(L, 1));
    lua_pushlstring(L, (const char *)&key, sizeof key);
    return 1;
}

/* protocol.new([max_message_size]) -> connection */
static int protocol_new(lua_State *L)
{
    double max_message_size = luaL_optnumber(L, 1, 16 << 20);
    struct connection *connection = lua_newuserdatauv(L, sizeof *connection, 0);
    memset(connection, 0, sizeof *connection);
    connection->random.refill = refill;
    connection->random.context = connection;
    steady_protocol_init(&connection->protocol, &connection->random, steady_size(max_message_size));
    luaL_setmetatable(L, PROTOCOL);
    return 1;
}

/* connection:deflate(parameters) */
static int connection_deflate(lua_State *L)
{
    struct connection *connection = check_connection(L);
    struct steady_deflate_parameters parameters = check_deflate_parameters(L, 2);
    steady_protocol_deflate(&connection->protocol, &parameters);
    return 0;
}

/* The protocol has no business in the input any more: what it still reads there, a sanitizer sees.
 */
static void take_input_back(struct connection *connection)
{
    free(connection->input);
    connection->input = NULL;
}

static int connection_gc(lua_State *L)
{
    struct connection *connection = check_connection(L);
    steady_protocol_free(&connection->protocol);
    take_input_back(connection);
    return 0;
}

/* connection:input(bytes) */
static int connection_input(lua_State *L)
{
    struct connection *connection = check_connection(L);
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    take_input_back(connection);
    connection->input = malloc(size ? size : 1);
    if (!connection->input)
        return luaL_error(L, "out of memory");
    memcpy(connection->input, bytes, size);
    steady_protocol_input(&connection->protocol, connection->input, size);
    return 0;
}

/* connection:next() -> nothing | "message", data, "text" or "binary" | "ping" or "pong", data
 *                    | "close", code, reason | "failure", code, text */
static int connection_next(lua_State *L)
{
    static const char *const names[] = {NULL, "message", "ping", "pong", "close", "failure"};
    struct connection *connection = check_connection(L);
    struct steady_protocol_event event;
    enum steady_protocol_event_type type = steady_protocol_next(&connection->protocol, &event);
    if (type == STEADY_PROTOCOL_NONE) {
        take_input_back(connection);
        return 0;
    }
    lua_pushstring(L, names[type]);
    if (type == STEADY_PROTOCOL_CLOSE || type == STEADY_PROTOCOL_FAILURE)
        lua_pushinteger(L, event.code);
    lua_pushlstring(L, (const char *)event.data, event.size);
    if (type == STEADY_PROTOCOL_MESSAGE)
        lua_pushstring(L, event.binary ? "binary" : "text");
    return type == STEADY_PROTOCOL_PING || type == STEADY_PROTOCOL_PONG ? 2 : 3;
}

/* connection:hold() -> boolean */
static int connection_hold(lua_State *L)
{
    struct connection *connection = check_connection(L);
    bool held = steady_protocol_hold(&connection->protocol);
    if (held)
        take_input_back(connection);
    lua_pushboolean(L, held);
    return 1;
}

/* connection:ping(data) -> boolean */
static int connection_ping(lua_State *L)
{
    struct connection *connection = check_connection(L);
    size_t size;
    const uint8_t *data = push_exact_copy(L, 2, &size);
    lua_pushboolean(L, steady_protocol_ping(&connection->protocol, data, size));
    return 1;
}

/* connection:pong(data) -> boolean */
static int connection_pong(lua_State *L)
{
    struct connection *connection = check_connection(L);
    size_t size;
    const uint8_t *data = push_exact_copy(L, 2, &size);
    lua_pushboolean(L, steady_protocol_pong(&connection->protocol, data, size));
    return 1;
}

/* connection:close([code [, reason]]) -> boolean */
static int connection_close(lua_State *L)
{
    struct connection *connection = check_connection(L);
    size_t size;
    uint16_t code = (uint16_t)luaL_optinteger(L, 2, 0);
    const char *reason = luaL_optlstring(L, 3, "", &size);
    lua_pushboolean(L, steady_protocol_close(&connection->protocol, code, reason, size));
    return 1;
}

/* connection:output(queue [, capacity [, keep [, now]]]) -> bytes */
static int connection_output(lua_State *L)
{
    struct connection *connection = check_connection(L);
    struct steady_queue *queue = luaL_checkudata(L, 2, "core.queue");
    size_t capacity = (size_t)luaL_optinteger(L, 3, 65536);
    bool keep = lua_toboolean(L, 4);
    double now = luaL_optnumber(L, 5, 0);
    uint8_t *out = lua_newuserdatauv(L, capacity, 0);
    size_t size = steady_protocol_output(&connection->protocol, queue, keep, now, out, capacity);
    lua_pushlstring(L, (const char *)out, size);
    return 1;
}

/* connection:state() -> { pending, backlog, expired, refills, assembly, compressed, close_sent,
 * close_received, finished }; assembly, compressed: bytes of memory held for messages that come in,
 * and for the one that goes out compressed */
static int connection_state(lua_State *L)
{
    const struct connection *connection = check_connection(L);
    const struct steady_protocol *protocol = &connection->protocol;
    lua_newtable(L);
    lua_pushinteger(L, (lua_Integer)steady_protocol_pending(protocol));
    lua_setfield(L, -2, "pending");
    lua_pushinteger(L, (lua_Integer)steady_protocol_backlog(protocol));
    lua_setfield(L, -2, "backlog");
    lua_pushinteger(L, (lua_Integer)protocol->expired);
    lua_setfield(L, -2, "expired");
    lua_pushinteger(L, (lua_Integer)connection->refills);
    lua_setfield(L, -2, "refills");
    lua_pushinteger(L, (lua_Integer)protocol->message.capacity);
    lua_setfield(L, -2, "assembly");
    lua_pushinteger(L, (lua_Integer)protocol->compressed.capacity);
    lua_setfield(L, -2, "compressed");
    lua_pushboolean(L, steady_protocol_close_sent(protocol));
    lua_setfield(L, -2, "close_sent");
    lua_pushboolean(L, protocol->close_received);
    lua_setfield(L, -2, "close_received");
    lua_pushboolean(L, steady_protocol_close_sent(protocol) &&
                           (protocol->close_received || protocol->failed));
    lua_setfield(L, -2, "finished");
    return 1;
}

void bind_protocol(lua_State *L)
{
    static const luaL_Reg methods[] = {{"input", connection_input},
                                       {"next", connection_next},
                                       {"hold", connection_hold},
                                       {"ping", connection_ping},
                                       {"pong", connection_pong},
                                       {"close", connection_close},
                                       {"deflate", connection_deflate},
                                       {"state", connection_state},
                                       {"output", connection_output},
                                       {"__gc", connection_gc},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"new", protocol_new}, {"key", protocol_key}, {NULL, NULL}};
    luaL_newmetatable(L, PROTOCOL);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
