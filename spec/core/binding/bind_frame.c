#include "binding.h"
#include "bytes.h"
#include "core/frame.h"

static const uint8_t *check_key(lua_State *L, int index)
{
    size_t size;
    const char *key = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, size == 4, index, "a key of 4 bytes expected");
    return (const uint8_t *)key;
}

/* frame.header(first, size, key) -> header */
static int frame_header(lua_State *L)
{
    uint8_t out[STEADY_FRAME_HEADER_MAX];
    size_t length = steady_frame_header(out, (uint8_t)luaL_checkinteger(L, 1),
                                        (uint64_t)luaL_checkinteger(L, 2), check_key(L, 3));
    lua_pushlstring(L, (const char *)out, length);
    return 1;
}

/* frame.mask(piece, key [, offset]) -> masked */
static int frame_mask(lua_State *L)
{
    size_t size, offset = (size_t)luaL_optinteger(L, 3, 0);
    const uint8_t *key = check_key(L, 2);
    const uint8_t *piece = push_exact_copy(L, 1, &size);
    uint8_t *out = lua_newuserdatauv(L, size, 0);
    steady_frame_mask(out, piece, size, key, offset);
    lua_pushlstring(L, (const char *)out, size);
    return 1;
}

void bind_frame(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"header", frame_header}, {"mask", frame_mask}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
