#include "binding.h"
#include "bytes.h"
#include "core/queue.h"

#include <math.h>

#define QUEUE "core.queue"

static struct steady_queue *check_queue(lua_State *L, int index)
{
    return luaL_checkudata(L, index, QUEUE);
}

/* queue.new() -> queue */
static int queue_new(lua_State *L)
{
    struct steady_queue *queue = lua_newuserdatauv(L, sizeof *queue, 0);
    *queue = (struct steady_queue){0};
    luaL_setmetatable(L, QUEUE);
    return 1;
}

/* queue:push(data [, binary [, expires [, stays]]]) -> boolean */
static int queue_push(lua_State *L)
{
    struct steady_queue *queue = check_queue(L, 1);
    struct steady_message message = {
        .expires = luaL_optnumber(L, 4, INFINITY),
        .binary = lua_toboolean(L, 3),
        .stays = lua_toboolean(L, 5),
    };
    message.data = push_exact_copy(L, 2, &message.size);
    lua_pushboolean(L, steady_queue_push(queue, &message));
    return 1;
}

/* queue:push_more_than_memory(less) -> boolean: a message of SIZE_MAX - less bytes */
static int queue_push_more_than_memory(lua_State *L)
{
    const struct steady_message message = {.size = SIZE_MAX - (size_t)luaL_checkinteger(L, 2)};
    lua_pushboolean(L, steady_queue_push(check_queue(L, 1), &message));
    return 1;
}

/* queue:prepend(front) */
static int queue_prepend(lua_State *L)
{
    steady_queue_prepend(check_queue(L, 1), check_queue(L, 2));
    return 0;
}

/* queue:peek() -> data, binary, expires | nothing */
static int queue_peek(lua_State *L)
{
    const struct steady_message *message = steady_queue_peek(check_queue(L, 1));
    if (!message)
        return 0;
    lua_pushlstring(L, (const char *)message->data, message->size);
    lua_pushboolean(L, message->binary);
    lua_pushnumber(L, message->expires);
    return 3;
}

/* queue:begin() */
static int queue_begin(lua_State *L)
{
    steady_queue_begin(check_queue(L, 1));
    return 0;
}

/* queue:sent([keep]) */
static int queue_sent(lua_State *L)
{
    steady_queue_sent(check_queue(L, 1), lua_toboolean(L, 2));
    return 0;
}

/* queue:drop() -> boolean */
static int queue_drop(lua_State *L)
{
    lua_pushboolean(L, steady_queue_drop(check_queue(L, 1)));
    return 1;
}

/* queue:expiry() -> number */
static int queue_expiry(lua_State *L)
{
    lua_pushnumber(L, steady_queue_expiry(check_queue(L, 1)));
    return 1;
}

/* queue:discard() -> integer */
static int queue_discard(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)steady_queue_discard(check_queue(L, 1)));
    return 1;
}

/* queue:confirm(count) */
static int queue_confirm(lua_State *L)
{
    steady_queue_confirm(check_queue(L, 1), (size_t)luaL_checkinteger(L, 2));
    return 0;
}

/* queue:rewind() */
static int queue_rewind(lua_State *L)
{
    steady_queue_rewind(check_queue(L, 1));
    return 0;
}

/* queue:clear() -> messages */
static int queue_clear(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)steady_queue_clear(check_queue(L, 1)));
    return 1;
}

/* queue:counters() -> waiting messages, waiting bytes, sent messages, sent bytes */
static int queue_counters(lua_State *L)
{
    const struct steady_queue *queue = check_queue(L, 1);
    lua_pushinteger(L, (lua_Integer)queue->waiting_messages);
    lua_pushinteger(L, (lua_Integer)queue->waiting_bytes);
    lua_pushinteger(L, (lua_Integer)queue->sent_messages);
    lua_pushinteger(L, (lua_Integer)queue->sent_bytes);
    return 4;
}

void bind_queue(lua_State *L)
{
    static const luaL_Reg methods[] = {{"push", queue_push},
                                       {"push_more_than_memory", queue_push_more_than_memory},
                                       {"prepend", queue_prepend},
                                       {"peek", queue_peek},
                                       {"begin", queue_begin},
                                       {"sent", queue_sent},
                                       {"drop", queue_drop},
                                       {"expiry", queue_expiry},
                                       {"discard", queue_discard},
                                       {"confirm", queue_confirm},
                                       {"rewind", queue_rewind},
                                       {"clear", queue_clear},
                                       {"__gc", queue_clear},
                                       {"counters", queue_counters},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", queue_new}, {NULL, NULL}};
    luaL_newmetatable(L, QUEUE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
