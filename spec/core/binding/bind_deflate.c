#include "binding.h"
#include "bytes.h"
#include "compression.h"
#include "core/deflate.h"

#define DEFLATE "core.deflate"

/* One end of a connection, and the message that it is decompressing. */
struct end {
    struct steady_deflate deflate;
    struct steady_buffer message;
};

static struct end *check_end(lua_State *L)
{
    return luaL_checkudata(L, 1, DEFLATE);
}

/* deflate.new(parameters) -> the client's end; with client and server exchanged, the server's */
static int deflate_new(lua_State *L)
{
    struct steady_deflate_parameters parameters = check_deflate_parameters(L, 1);
    struct end *end = lua_newuserdatauv(L, sizeof *end, 0);
    memset(end, 0, sizeof *end);
    steady_deflate_init(&end->deflate, &parameters);
    luaL_setmetatable(L, DEFLATE);
    return 1;
}

static int end_gc(lua_State *L)
{
    struct end *end = check_end(L);
    steady_deflate_free(&end->deflate);
    steady_buffer_free(&end->message);
    return 0;
}

/* end:compress(message) -> payload | nil */
static int end_compress(lua_State *L)
{
    struct end *end = check_end(L);
    struct steady_buffer out = {0};
    size_t size;
    const uint8_t *data = push_exact_copy(L, 2, &size);
    if (steady_deflate_message(&end->deflate, data, size, &out))
        lua_pushlstring(L, (const char *)out.data, out.size);
    else
        lua_pushnil(L);
    steady_buffer_free(&out);
    return 1;
}

/* end:decompress(piece [, more [, max_size]]) -> message, or with more the message so far
 *                                             | nil, "too_large" or "bad_data" or "out_of_memory"
 */
static int end_decompress(lua_State *L)
{
    static const char *const names[] = {NULL, "too_large", "bad_data", "out_of_memory"};
    struct end *end = check_end(L);
    size_t size;
    bool last = !lua_toboolean(L, 3);
    size_t max_size = (size_t)luaL_optinteger(L, 4, 1 << 30);
    const uint8_t *piece = push_exact_copy(L, 2, &size);
    enum steady_inflate_result result =
        steady_inflate_piece(&end->deflate, piece, size, last, max_size, &end->message);
    if (result != STEADY_INFLATED) {
        lua_pushnil(L);
        lua_pushstring(L, names[result]);
        return 2;
    }
    lua_pushlstring(L, (const char *)end->message.data, end->message.size);
    if (last)
        steady_buffer_clear(&end->message, 0);
    return 1;
}

/* end:state() -> { deflater, inflater, capacity }: whether there are streams, and the message's
 * memory in bytes */
static int end_state(lua_State *L)
{
    const struct end *end = check_end(L);
    lua_newtable(L);
    lua_pushboolean(L, end->deflate.deflater != NULL);
    lua_setfield(L, -2, "deflater");
    lua_pushboolean(L, end->deflate.inflater != NULL);
    lua_setfield(L, -2, "inflater");
    lua_pushinteger(L, (lua_Integer)end->message.capacity);
    lua_setfield(L, -2, "capacity");
    return 1;
}

void bind_deflate(lua_State *L)
{
    static const luaL_Reg methods[] = {{"compress", end_compress},
                                       {"decompress", end_decompress},
                                       {"state", end_state},
                                       {"__gc", end_gc},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", deflate_new}, {NULL, NULL}};
    luaL_newmetatable(L, DEFLATE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
}
