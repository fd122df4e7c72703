#include "lua/options.h"

#include "core/options.h"
#include "lua/handler.h"
#include "lua/log.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tables of options are read without their metamethods, as `next` and `rawlen` do it. So no foreign
 * code runs while a table is read, which could fail or change the table. */

/* The name of an option, such as "reconnect.min_delay", for error messages. */
struct place {
    const char *group; /* NULL: none */
    const char *name;
};

static _Noreturn void wrong(lua_State *L, struct place place, const char *what)
{
    const char *text = lua_pushfstring(L, "option '%s%s%s' %s", place.group ? place.group : "",
                                       place.group ? "." : "", place.name, what);
    luaL_error(L, "%s", text_push_shown(L, text, strlen(text)));
    abort(); /* not reached: luaL_error does not return */
}

static _Noreturn void wrong_type(lua_State *L, struct place place, const char *expected, int index)
{
    wrong(L, place, lua_pushfstring(L, "is a %s, %s expected", luaL_typename(L, index), expected));
}

/* Returns the size of the list on top of the stack. Raises when the table has any keys but those
 * from 1 to its size. */
static lua_Unsigned list_size(lua_State *L, struct place place)
{
    lua_Unsigned size = lua_rawlen(L, -1), count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        lua_Unsigned index = lua_isinteger(L, -1) ? (lua_Unsigned)lua_tointeger(L, -1) : 0;
        if (index < 1 || index > size)
            wrong(L, place,
                  lua_pushfstring(L, "is not a plain list: it has the key '%s'",
                                  text_push_value(L, -1)));
        count++;
    }
    if (count < size)
        wrong(L, place, "is not a plain list: an entry is nil");
    return size;
}

/* ------------------------------------------------------------------------- plain options */

static void *member(struct steady_options *options, const struct steady_option *option)
{
    return (char *)options + option->offset;
}

/* Pushes a number and returns it as a text, with as many digits as tell it from its neighbours. */
static const char *push_number(lua_State *L, double value)
{
    char text[32];
    if (value == floor(value) && fabs(value) < 0x1p63)
        snprintf(text, sizeof text, "%.0f", value);
    else
        snprintf(text, sizeof text, "%.14g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    return lua_pushstring(L, text);
}

static void read_number(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        wrong_type(L, place, "number", -1);
    double value = lua_tonumber(L, -1);
    bool integral = option->type != STEADY_OPTION_INTEGER || value == floor(value);
    if (!(value >= option->min && value <= option->max) || !integral) { /* refuses NaN, too */
        const char *found = lua_isinteger(L, -1) ? lua_pushfstring(L, "%I", lua_tointeger(L, -1))
                                                 : push_number(L, value);
        const char *kind = option->type == STEADY_OPTION_INTEGER ? "an integer" : "a number";
        const char *min = push_number(L, option->min), *max = push_number(L, option->max);
        wrong(L, place,
              lua_pushfstring(L, "is %s, %s from %s to %s expected", found, kind, min, max));
    }
    *(double *)member(options, option) = value;
}

static const char *check_text(lua_State *L, int index, struct place place, size_t *size)
{
    if (lua_type(L, index) != LUA_TSTRING)
        wrong_type(L, place, "string", index);
    return lua_tolstring(L, index, size);
}

static void read_string(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    size_t size;
    const char *text = check_text(L, -1, place, &size);
    const char *problem = steady_option_set_string(options, option, text, size);
    if (problem)
        wrong(L, place, problem);
}

static void add_string(lua_State *L, struct steady_options *options,
                       const struct steady_option *option, struct place place)
{
    size_t size;
    const char *text = check_text(L, -1, place, &size);
    const char *problem = steady_option_add_string(options, option, text, size);
    if (problem)
        wrong(L, place, problem);
}

/* A string, or a list of strings. */
static void read_strings(lua_State *L, struct steady_options *options,
                         const struct steady_option *option, struct place place)
{
    if (!lua_istable(L, -1)) {
        add_string(L, options, option, place);
        return;
    }
    lua_Unsigned count = list_size(L, place);
    if (!count)
        wrong(L, place, "is an empty list");
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        add_string(L, options, option, place);
        lua_pop(L, 1);
    }
}

static void read_choice(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    size_t size;
    const char *text = check_text(L, -1, place, &size);
    luaL_Buffer known;
    if (strlen(text) != size)
        wrong(L, place, "has a NUL byte inside");
    for (int i = 0; option->choices[i]; i++)
        if (!strcmp(option->choices[i], text)) {
            *(int *)member(options, option) = i;
            return;
        }
    luaL_buffinit(L, &known);
    for (int i = 0; option->choices[i]; i++) {
        luaL_addstring(&known, i ? "\" or \"" : "\"");
        luaL_addstring(&known, option->choices[i]);
    }
    luaL_pushresult(&known);
    wrong(L, place, lua_pushfstring(L, "is \"%s\", %s\" expected", text, lua_tostring(L, -1)));
}

static void read_group(lua_State *L, struct steady_options *options,
                       const struct steady_option *option);

/* Sets an option to the value on top of the stack. */
static void read_option(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    switch (option->type) {
    case STEADY_OPTION_NUMBER:
    case STEADY_OPTION_INTEGER:
        read_number(L, options, option, place);
        break;
    case STEADY_OPTION_BOOLEAN:
        if (!lua_isboolean(L, -1))
            wrong_type(L, place, "boolean", -1);
        *(bool *)member(options, option) = lua_toboolean(L, -1);
        break;
    case STEADY_OPTION_STRING:
        read_string(L, options, option, place);
        break;
    case STEADY_OPTION_STRINGS:
        read_strings(L, options, option, place);
        break;
    case STEADY_OPTION_CHOICE:
        read_choice(L, options, option, place);
        break;
    case STEADY_OPTION_GROUP:
        read_group(L, options, option);
        break;
    }
}

static const struct steady_option *find(const struct steady_option *list, const char *name)
{
    while (list->name && strcmp(list->name, name) != 0)
        list++;
    return list->name ? list : NULL;
}

/* ------------------------------------------------------------------------- unknown names */

static const char *const special[] = {
    "url",      "headers",  "protocols",  "origin",   "on_open", "on_message",
    "on_close", "on_error", "on_status",  "on_drain", "on_pong", "should_reconnect",
    "log",      "proxy",    "connect_to", NULL,
};

static _Noreturn void unknown(lua_State *L, const struct steady_option *list, struct place place)
{
    const char *names[64];
    size_t count = 0;
    for (; list->name; list++)
        names[count++] = list->name;
    for (size_t i = 0; !place.group && special[i]; i++)
        names[count++] = special[i];
    names[count] = NULL;
    const char *near = steady_nearest_name(place.name, names);
    wrong(L, place,
          near ? lua_pushfstring(L, "is unknown; did you mean '%s'?", near) : "is unknown");
}

/* Returns the name of the option that lua_next has put below the top of the stack. Raises when the
 * name is no string, or has a NUL byte inside, where a C string would end. */
static const char *key(lua_State *L, const char *group)
{
    size_t size;
    if (lua_type(L, -2) != LUA_TSTRING)
        wrong(L, (struct place){group, text_push_value(L, -2)},
              "is unknown: names of options are strings");
    const char *name = lua_tolstring(L, -2, &size);
    if (strlen(name) != size)
        wrong(L, (struct place){group, text_push_shown(L, name, size)},
              "is unknown: its name has a NUL byte inside");
    return name;
}

static void read_group(lua_State *L, struct steady_options *options,
                       const struct steady_option *option)
{
    bool can_switch = option->offset != STEADY_NO_SWITCH;
    if (can_switch)
        *(int *)member(options, option) = !lua_isboolean(L, -1) || lua_toboolean(L, -1);
    if (can_switch && lua_isboolean(L, -1))
        return;
    if (!lua_istable(L, -1))
        wrong_type(L, (struct place){NULL, option->name}, can_switch ? "table or boolean" : "table",
                   -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        struct place place = {option->name, key(L, option->name)};
        const struct steady_option *field = find(option->fields, place.name);
        if (!field)
            unknown(L, option->fields, place);
        read_option(L, options, field, place);
        lua_pop(L, 1);
    }
}

/* ------------------------------------------------------------------------- special options */

static void check_added(lua_State *L, const char *option, const char *problem)
{
    if (problem)
        wrong(L, (struct place){NULL, option}, problem);
}

static void add_url(lua_State *L, struct steady_options *options)
{
    size_t size;
    struct place place = {NULL, "url"};
    const char *text = check_text(L, -1, place, &size);
    const char *problem = steady_options_add_url(options, text, size);
    if (problem)
        wrong(L, place, lua_pushfstring(L, "is not a WebSocket URL: the URL %s", problem));
}

/* Reads a string, or a list of strings, on top of the stack. Calls `add` for each, with that string
 * on top. */
static void read_list(lua_State *L, struct steady_options *options, const char *name,
                      void (*add)(lua_State *L, struct steady_options *options))
{
    struct place place = {NULL, name};
    if (!lua_istable(L, -1)) {
        add(L, options);
        return;
    }
    lua_Unsigned count = list_size(L, place);
    if (!count)
        wrong(L, place, "is an empty list");
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        add(L, options);
        lua_pop(L, 1);
    }
}

static void replace_url(lua_State *L, struct steady_options *options)
{
    steady_options_clear_urls(options);
    read_list(L, options, "url", add_url);
}

static void add_protocol(lua_State *L, struct steady_options *options)
{
    size_t size;
    const char *text = check_text(L, -1, (struct place){NULL, "protocols"}, &size);
    const char *problem = steady_options_add_protocol(options, text, size);
    if (problem)
        problem =
            lua_pushfstring(L, "has \"%s\", which %s", text_push_shown(L, text, size), problem);
    check_added(L, "protocols", problem);
}

static void replace_protocols(lua_State *L, struct steady_options *options)
{
    steady_options_clear_protocols(options);
    read_list(L, options, "protocols", add_protocol);
}

static void add_header(lua_State *L, struct steady_options *options, const char *name)
{
    struct place place = {"headers", name};
    size_t value_size;
    lua_pushvalue(L, -1); /* a copy: lua_tolstring changes a number into a string in place, which
                             confuses lua_next */
    if (!lua_isstring(L, -1))
        wrong_type(L, place, "string", -1);
    const char *value = lua_tolstring(L, -1, &value_size);
    const char *problem = steady_options_add_header(options, name, strlen(name), value, value_size);
    if (problem)
        wrong(L, place, problem);
    lua_pop(L, 1);
}

static void replace_headers(lua_State *L, struct steady_options *options)
{
    struct place place = {NULL, "headers"};
    steady_options_clear_headers(options);
    if (!lua_istable(L, -1))
        wrong_type(L, place, "table", -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = key(L, "headers");
        if (lua_istable(L, -1)) { /* the header is sent several times */
            lua_Unsigned count = list_size(L, (struct place){"headers", name});
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

const struct options_provider options_providers[] = {
    {"url", HANDLER_URL, replace_url},
    {"headers", HANDLER_HEADERS, replace_headers},
    {"protocols", HANDLER_PROTOCOLS, replace_protocols},
    {0},
};

static const struct options_provider *find_provider(const char *name)
{
    const struct options_provider *provider = options_providers;
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
        wrong_type(L, (struct place){NULL, name}, expected, -1);
}

static void read_special(lua_State *L, int client, struct steady_options *options, const char *name)
{
    int handler = handler_find(name);
    const struct options_provider *provider = find_provider(name);
    if (handler) {
        read_handler(L, client, handler, name);
    } else if (provider->name) {
        if (lua_isfunction(L, -1))
            read_handler(L, client, provider->handler, name);
        else
            provider->replace(L, options);
    } else if (!strcmp(name, "origin")) {
        size_t size;
        const char *text = check_text(L, -1, (struct place){NULL, name}, &size);
        check_added(L, "origin", steady_options_set_origin(options, text, size));
    } else if (!strcmp(name, "proxy")) {
        size_t size;
        char room[STEADY_PROXY_PROBLEM_SIZE];
        const char *text = check_text(L, -1, (struct place){NULL, name}, &size);
        const char *problem = steady_options_set_proxy(options, text, size, room);
        if (problem)
            wrong(L, (struct place){NULL, name},
                  lua_pushfstring(L, "is neither \"env\" nor the URL of a proxy: the URL %s",
                                  problem));
    } else if (!strcmp(name, "connect_to")) {
        size_t size;
        const char *text = check_text(L, -1, (struct place){NULL, name}, &size);
        check_added(L, "connect_to", steady_options_set_connect_to(options, text, size));
    } else {
        unknown(L, steady_option_list, (struct place){NULL, name});
    }
}

/* ------------------------------------------------------------------------- new's arguments */

static void read_table(lua_State *L, int client, struct steady_options *options)
{
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        const char *name = key(L, NULL);
        const struct steady_option *option = find(steady_option_list, name);
        if (option)
            read_option(L, options, option, (struct place){NULL, name});
        else
            read_special(L, client, options, name);
        lua_pop(L, 1);
    }
    if (!options->url_count && lua_getiuservalue(L, client, HANDLER_URL) == LUA_TNIL)
        wrong(L, (struct place){NULL, "url"}, "is missing");
    if (options->require_protocol && !options->protocol_count &&
        lua_getiuservalue(L, client, HANDLER_PROTOCOLS) == LUA_TNIL)
        wrong(L, (struct place){NULL, "require_protocol"}, "is of no use without protocols");
}

static void read_arguments(lua_State *L, int client, struct steady_options *options)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    const char *problem = steady_options_add_url(options, text, size);
    if (problem)
        luaL_argerror(L, 1, lua_pushfstring(L, "not a WebSocket URL: the URL %s", problem));
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
        lua_pushvalue(L, 2);
        handler_set(L, client, HANDLER_MESSAGE);
    }
    if (!lua_isnoneornil(L, 3)) {
        const char *name = luaL_checklstring(L, 3, &size);
        problem = steady_option_set_string(options, find(steady_option_list, "name"), name, size);
        luaL_argcheck(L, !problem, 3, problem);
    }
}

void options_read(lua_State *L, int client, struct steady_options *options)
{
    if (lua_istable(L, 1))
        read_table(L, client, options);
    else
        read_arguments(L, client, options);
    const char *problem = steady_options_check(options);
    if (problem)
        luaL_error(L, "options contradict each other: %s", problem);
    if (!options->name && !(options->name = strdup("default")))
        luaL_error(L, "not enough memory");
}
