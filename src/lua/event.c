#include "lua/event.h"

#include "core/ascii.h"
#include "lua/headers.h"

#include <lauxlib.h>
#include <string.h>

static const char *const sides[] = {
    [STEADY_BY_PEER] = "peer", [STEADY_BY_US] = "us", [STEADY_BY_NETWORK] = "network"};

static void set_string(lua_State *L, const char *name, const char *value)
{
    if (!value)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void set_headers(lua_State *L, const char *name, const struct steady_buffer *headers)
{
    if (!headers)
        return;
    headers_push(L, headers);
    lua_setfield(L, -2, name);
}

static void set_retry(lua_State *L, const struct steady_event *event)
{
    set_boolean(L, "will_reconnect", event->delay >= 0);
    if (event->delay >= 0) {
        lua_pushnumber(L, event->delay);
        lua_setfield(L, -2, "delay");
    }
}

static void push_open(lua_State *L, const struct steady_event *event)
{
    lua_createtable(L, 0, 6);
    set_boolean(L, "reconnected", event->reconnected);
    set_integer(L, "attempt", event->attempt);
    set_string(L, "protocol", event->protocol);
    set_string(L, "url", event->url);
    set_string(L, "address", event->address);
    set_headers(L, "headers", event->headers);
}

static void push_close(lua_State *L, const struct steady_event *event)
{
    lua_createtable(L, 0, 6);
    set_integer(L, "code", event->code);
    lua_pushlstring(L, (const char *)event->data, event->size);
    lua_setfield(L, -2, "reason");
    set_boolean(L, "clean", event->clean);
    set_string(L, "by", sides[event->by]);
    set_retry(L, event);
}

static void push_error(lua_State *L, const struct steady_event *event)
{
    lua_createtable(L, 0, 8);
    set_string(L, "kind", steady_error_name(event->error));
    set_string(L, "message", event->message);
    set_string(L, "url", event->url);
    set_integer(L, "attempt", event->attempt);
    if (event->http_status)
        set_integer(L, "http_status", event->http_status);
    set_headers(L, "http_headers", event->headers);
    if (event->data) {
        lua_pushlstring(L, (const char *)event->data, event->size);
        lua_setfield(L, -2, "http_body");
    }
    if (event->retry_after > 0) {
        lua_pushnumber(L, event->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    set_retry(L, event);
}

int event_push(lua_State *L, const struct steady_event *event)
{
    switch (event->type) {
    case STEADY_EVENT_OPEN:
        push_open(L, event);
        return 1;
    case STEADY_EVENT_CLOSE:
        push_close(L, event);
        return 1;
    case STEADY_EVENT_ERROR:
        push_error(L, event);
        return 1;
    case STEADY_EVENT_STATUS:
        lua_pushstring(L, steady_status_name(event->status));
        lua_pushstring(L, steady_status_name(event->old_status));
        return 2;
    case STEADY_EVENT_PONG:
        lua_pushlstring(L, (const char *)event->data, event->size);
        return 1;
    default:
        return 0;
    }
}

/* ------------------------------------------------------------------------- the log */

/* Pushes a line such as "closed by the peer (code 1001, going away)". Control characters in the
 * peer's reason are shown as "?". */
static void push_close_line(lua_State *L, const struct steady_event *event)
{
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    luaL_addstring(&line, event->by == STEADY_BY_US     ? "closed"
                          : event->by == STEADY_BY_PEER ? "closed by the peer"
                                                        : "connection lost");
    lua_pushfstring(L, " (code %d", event->code);
    luaL_addvalue(&line);
    if (event->size)
        luaL_addstring(&line, ", ");
    for (size_t i = 0; i < event->size; i++)
        luaL_addchar(&line, steady_is_control((char)event->data[i]) ? '?' : (char)event->data[i]);
    luaL_addchar(&line, ')');
    luaL_pushresult(&line);
}

static void add_retry(lua_State *L, const struct steady_event *event)
{
    char delay[32];
    if (event->delay < 0)
        return;
    lua_Number rounded = event->delay;
    snprintf(delay, sizeof delay, "%.1f", rounded);
    lua_pushfstring(L, "; next attempt in %s s", delay);
    lua_concat(L, 2);
}

enum steady_level event_level(const struct steady_event *event)
{
    switch (event->type) {
    case STEADY_EVENT_LINE:
        return event->level;
    case STEADY_EVENT_CLOSE:
        return event->by == STEADY_BY_US ? STEADY_LEVEL_INFO : STEADY_LEVEL_WARNING;
    case STEADY_EVENT_ERROR:
        return event->delay < 0 ? STEADY_LEVEL_ERROR : STEADY_LEVEL_WARNING;
    default:
        return STEADY_LEVEL_INFO;
    }
}

void event_push_line(lua_State *L, const char *name, const struct steady_event *event)
{
    switch (event->type) {
    case STEADY_EVENT_LINE:
        lua_pushfstring(L, "%s: %s", name, event->message);
        break;
    case STEADY_EVENT_OPEN:
        lua_pushfstring(L, "%s: connected to %s at %s", name, event->url, event->address);
        break;
    case STEADY_EVENT_CLOSE:
        lua_pushfstring(L, "%s: ", name);
        push_close_line(L, event);
        lua_concat(L, 2);
        add_retry(L, event);
        break;
    case STEADY_EVENT_ERROR:
        lua_pushstring(L, event->message); /* the message already begins with the client's name */
        add_retry(L, event);
        break;
    default:
        lua_pushfstring(L, "%s: %s", name, steady_status_name(event->status));
        break;
    }
}
