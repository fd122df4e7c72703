#include "lua/delivery.h"

#include "client/inbox.h"
#include "core/number.h"
#include "lua/call.h"
#include "lua/client.h"
#include "lua/event.h"
#include "lua/handler.h"
#include "lua/log.h"
#include "lua/special_options.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <stdio.h>

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

/* This function is called for each message, so it looks up nothing by name: deliver_protected has
 * put the strings "text" and "binary" at indices 3 and 4. */
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

/* Gives what was kept while there was no on_message to the on_message that there is now. All of it
 * came before the events that are still to be delivered. */
static void empty_inbox(lua_State *L, struct client *client)
{
    const struct steady_message *message;
    while (!client->core.paused && !steady_loop_is_halted(&client->loop->core) &&
           (message = steady_inbox_peek(&client->core))) {
        if (lua_getiuservalue(L, 2, HANDLER_MESSAGE) != LUA_TFUNCTION) {
            lua_pop(L, 1);
            return;
        }
        lua_pushlstring(L, (const char *)message->data, message->size);
        lua_pushvalue(L, message->binary ? 4 : 3);
        lua_pushvalue(L, 2);
        steady_client_taken(&client->core);
        call_handler(L, 3, 0);
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

static bool next_event(lua_State *L, struct client *client, struct steady_event *event)
{
    if (client->core.inbox.waiting_messages)
        empty_inbox(L, client);
    return !steady_loop_is_halted(&client->loop->core) && steady_client_next(&client->core, event);
}

/* The argument is the client, as a light userdata. Delivers all events inside one protected call.
 * When a handler fails, the events behind the present one stay in the queue. */
static int deliver_protected(lua_State *L)
{
    struct client *client = lua_touserdata(L, 1);
    struct steady_event event;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, client) == LUA_TNIL)
        return 0; /* the registry has no such client, because it is idle or closed */
    lua_pushliteral(L, "text");
    lua_pushliteral(L, "binary");
    while (next_event(L, client, &event)) {
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
    const char *option; /* the option whose function is being called */
};

/* The argument is the preparation, as a light userdata. Calls the functions that are values of
 * options, and sets the options to the values that they return. */
static int prepare_protected(lua_State *L)
{
    struct preparation *preparation = lua_touserdata(L, 1);
    struct client *client = preparation->client;
    lua_rawgetp(L, LUA_REGISTRYINDEX, client);
    for (const struct option_provider *p = option_providers; p->name; p++) {
        preparation->option = p->name;
        if (lua_getiuservalue(L, 2, p->handler) == LUA_TNIL)
            continue;
        lua_pushinteger(L, client->core.session.attempt);
        lua_pushvalue(L, 2);
        call_handler(L, 2, 2);
        if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING)
            lua_error(L); /* like Lua's own functions, it has returned nil and a message */
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

/* The argument is the decision, as a light userdata. Calls should_reconnect, and changes the delay
 * as the result says. */
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

/* Calls should_reconnect, but only when the options say that there will be another attempt, so it
 * cannot overrule reconnect = false or max_attempts. */
static double decide(struct steady_client *core, const struct steady_event *event)
{
    struct decision decision = {(struct client *)core, event, event->delay};
    if (event->delay >= 0)
        call_at_once(decision.client->loop, decide_protected, &decision);
    return decision.delay;
}

const struct steady_client_owner delivery_owner = {deliver, release, prepare, decide};
