/* Bytes for the core in memory that ends exactly where they end, so that a sanitizer sees a read
 * behind them, which a Lua string's closing NUL would hide. */
#ifndef STEADY_SPEC_BYTES_H
#define STEADY_SPEC_BYTES_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <string.h>

/* Pushes the copy, which lives as long as it is on the stack. */
static inline const uint8_t *push_exact_copy(lua_State *L, int index, size_t *size)
{
    const char *string = luaL_checklstring(L, index, size);
    uint8_t *copy = lua_newuserdatauv(L, *size, 0);
    memcpy(copy, string, *size);
    return copy;
}

#endif
