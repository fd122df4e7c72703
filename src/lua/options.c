#include "lua/options.h"

#include "core/option_values.h"
#include "lua/handler.h"
#include "lua/place.h"
#include "lua/special_options.h"
#include "lua/table_options.h"

#include <lauxlib.h>
#include <string.h>

static void read_table(lua_State *L, int client, struct steady_options *options)
{
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        const char *name = place_key(L, NULL);
        const struct steady_option *option = table_options_find(steady_option_list, name);
        if (option)
            table_options_read(L, options, option, (struct place){NULL, name});
        else
            special_options_read(L, client, options, name);
        lua_pop(L, 1);
    }
    if (!options->url_count && lua_getiuservalue(L, client, HANDLER_URL) == LUA_TNIL)
        place_wrong(L, (struct place){NULL, "url"}, "is missing");
    if (options->require_protocol && !options->protocol_count &&
        lua_getiuservalue(L, client, HANDLER_PROTOCOLS) == LUA_TNIL)
        place_wrong(L, (struct place){NULL, "require_protocol"}, "is of no use without protocols");
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
        problem = steady_option_set_string(options, table_options_find(steady_option_list, "name"),
                                           name, size);
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
