#include "binding.h"
#include "compression.h"

/* Field of the table at index, or what stands for it. */
static double number_field(lua_State *L, int index, const char *name, double missing)
{
    lua_getfield(L, index, name);
    double value = luaL_optnumber(L, -1, missing);
    lua_pop(L, 1);
    return value;
}

static bool boolean_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

struct steady_deflate_options check_deflate_options(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return (struct steady_deflate_options){0};
    luaL_checktype(L, index, LUA_TTABLE);
    return (struct steady_deflate_options){
        .on = 1,
        .threshold = number_field(L, index, "threshold", 1024),
        .level = number_field(L, index, "level", 6),
        .client_max_window_bits = number_field(L, index, "client_max_window_bits", 15),
        .server_max_window_bits = number_field(L, index, "server_max_window_bits", 15),
        .client_no_context_takeover = boolean_field(L, index, "client_no_context_takeover"),
        .server_no_context_takeover = boolean_field(L, index, "server_no_context_takeover"),
    };
}

static struct steady_deflate_side check_side(lua_State *L, int index, const char *name)
{
    struct steady_deflate_side side = {15, false};
    lua_getfield(L, index, name);
    if (lua_istable(L, -1)) {
        side.window_bits = (uint8_t)number_field(L, lua_gettop(L), "window_bits", 15);
        side.no_context_takeover = boolean_field(L, lua_gettop(L), "no_context_takeover");
    }
    lua_pop(L, 1);
    return side;
}

struct steady_deflate_parameters check_deflate_parameters(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    return (struct steady_deflate_parameters){
        .on = true,
        .client = check_side(L, index, "client"),
        .server = check_side(L, index, "server"),
        .threshold = (size_t)number_field(L, index, "threshold", 0),
        .level = (int)number_field(L, index, "level", 6),
    };
}

static void push_side(lua_State *L, const struct steady_deflate_side *side)
{
    lua_newtable(L);
    lua_pushinteger(L, side->window_bits);
    lua_setfield(L, -2, "window_bits");
    lua_pushboolean(L, side->no_context_takeover);
    lua_setfield(L, -2, "no_context_takeover");
}

void push_deflate_parameters(lua_State *L, const struct steady_deflate_parameters *parameters)
{
    lua_newtable(L);
    push_side(L, &parameters->client);
    lua_setfield(L, -2, "client");
    push_side(L, &parameters->server);
    lua_setfield(L, -2, "server");
    lua_pushnumber(L, (lua_Number)parameters->threshold);
    lua_setfield(L, -2, "threshold");
    lua_pushinteger(L, parameters->level);
    lua_setfield(L, -2, "level");
}

/* extension.offer(options) -> text */
static int extension_offer(lua_State *L)
{
    struct steady_buffer out = {0};
    struct steady_deflate_options options = check_deflate_options(L, 1);
    bool made = steady_extension_offer(&out, &options);
    lua_pushlstring(L, made ? (const char *)out.data : "", made ? out.size : 0);
    steady_buffer_free(&out);
    return 1;
}

/* extension.read(answer or nil, options or nil) -> parameters or false | nil, complaint */
static int extension_read(lua_State *L)
{
    const char *answer = luaL_optstring(L, 1, NULL);
    struct steady_deflate_options options = check_deflate_options(L, 2);
    struct steady_deflate_parameters agreed;
    const char *complaint = steady_extension_read(answer, &options, &agreed);
    if (complaint) {
        lua_pushnil(L);
        lua_pushstring(L, complaint);
        return 2;
    }
    if (agreed.on)
        push_deflate_parameters(L, &agreed);
    else
        lua_pushboolean(L, false);
    return 1;
}

void bind_extension(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"offer", extension_offer}, {"read", extension_read}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
