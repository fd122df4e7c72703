#include "lua/special_options.h"

#include "core/option_values.h"
#include "lua/handler.h"
#include "lua/log.h"
#include "lua/place.h"
#include "lua/table_options.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <string.h>

static const char *const names[] = {
    "url",      "headers",  "protocols",  "origin",   "on_open", "on_message",
    "on_close", "on_error", "on_status",  "on_drain", "on_pong", "should_reconnect",
    "log",      "proxy",    "connect_to", NULL,
};

static void check_added(lua_State *L, const char *option, const char *problem)
{
    if (problem)
        place_wrong(L, (struct place){NULL, option}, problem);
}

static void add_url(lua_State *L, struct place place, void *options)
{
    size_t size;
    const char *text = place_text(L, -1, place, &size);
    const char *problem = steady_options_add_url(options, text, size);
    if (problem)
        place_wrong(L, place, lua_pushfstring(L, "is not a WebSocket URL: the URL %s", problem));
}

static void replace_url(lua_State *L, struct steady_options *options)
{
    steady_options_clear_urls(options);
    place_each(L, (struct place){NULL, "url"}, add_url, options);
}

static void add_protocol(lua_State *L, struct place place, void *options)
{
    size_t size;
    const char *text = place_text(L, -1, place, &size);
    const char *problem = steady_options_add_protocol(options, text, size);
    if (problem)
        place_wrong(
            L, place,
            lua_pushfstring(L, "has \"%s\", which %s", text_push_shown(L, text, size), problem));
}

static void replace_protocols(lua_State *L, struct steady_options *options)
{
    steady_options_clear_protocols(options);
    place_each(L, (struct place){NULL, "protocols"}, add_protocol, options);
}

static void add_header(lua_State *L, struct steady_options *options, const char *name)
{
    struct place place = {"headers", name};
    size_t value_size;
    lua_pushvalue(L, -1); /* a copy, because lua_tolstring changes a number into a string in place,
                             which confuses lua_next */
    if (!lua_isstring(L, -1))
        place_wrong_type(L, place, "string", -1);
    const char *value = lua_tolstring(L, -1, &value_size);
    const char *problem = steady_options_add_header(options, name, strlen(name), value, value_size);
    if (problem)
        place_wrong(L, place, problem);
    lua_pop(L, 1);
}

static void replace_headers(lua_State *L, struct steady_options *options)
{
    struct place place = {NULL, "headers"};
    steady_options_clear_headers(options);
    if (!lua_istable(L, -1))
        place_wrong_type(L, place, "table", -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = place_key(L, "headers");
        if (lua_istable(L, -1)) { /* the header is sent several times */
            lua_Unsigned count = place_list_size(L, (struct place){"headers", name});
            for (lua_Unsigned i = 1; i <= count; i++) {
                lua_rawgeti(L, -1, (lua_Integer)i);
                add_header(L, options, name);
                lua_pop(L, 1);
            }
        } else {
            add_header(L, options, name);
        }
        lua_pop(L, 1);
    }
}

const struct option_provider option_providers[] = {
    {"url", HANDLER_URL, replace_url},
    {"headers", HANDLER_HEADERS, replace_headers},
    {"protocols", HANDLER_PROTOCOLS, replace_protocols},
    {0},
};

static const struct option_provider *find_provider(const char *name)
{
    const struct option_provider *provider = option_providers;
    while (provider->name && strcmp(provider->name, name) != 0)
        provider++;
    return provider;
}

/* Sets a handler to the value on top of the stack. */
static void read_handler(lua_State *L, int client, int handler, const char *name)
{
    lua_pushvalue(L, -1);
    const char *expected =
        handler == HANDLER_LOG ? log_set(L, client) : handler_set(L, client, handler);
    if (expected)
        place_wrong_type(L, (struct place){NULL, name}, expected, -1);
}

void special_options_read(lua_State *L, int client, struct steady_options *options,
                          const char *name)
{
    int handler = handler_find(name);
    const struct option_provider *provider = find_provider(name);
    if (handler) {
        read_handler(L, client, handler, name);
    } else if (provider->name) {
        if (lua_isfunction(L, -1))
            read_handler(L, client, provider->handler, name);
        else
            provider->replace(L, options);
    } else if (!strcmp(name, "origin")) {
        size_t size;
        const char *text = place_text(L, -1, (struct place){NULL, name}, &size);
        check_added(L, "origin", steady_options_set_origin(options, text, size));
    } else if (!strcmp(name, "proxy")) {
        size_t size;
        char room[STEADY_PROXY_PROBLEM_SIZE];
        const char *text = place_text(L, -1, (struct place){NULL, name}, &size);
        const char *problem = steady_options_set_proxy(options, text, size, room);
        if (problem)
            place_wrong(L, (struct place){NULL, name},
                        lua_pushfstring(L, "is neither \"env\" nor the URL of a proxy: the URL %s",
                                        problem));
    } else if (!strcmp(name, "connect_to")) {
        size_t size;
        const char *text = place_text(L, -1, (struct place){NULL, name}, &size);
        check_added(L, "connect_to", steady_options_set_connect_to(options, text, size));
    } else {
        table_options_unknown(L, (struct place){NULL, name}, steady_option_list, names);
    }
}
