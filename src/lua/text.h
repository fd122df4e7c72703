/* A string of Lua may have NUL bytes inside, where a C string ends. These functions keep
 * "text\0more" from being taken for "text". */
#ifndef STEADY_LUA_TEXT_H
#define STEADY_LUA_TEXT_H

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

/* Returns the argument at index as a C string. Raises when it is no string, or has a NUL byte
 * inside. */
static inline const char *text_check(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, strlen(text) == size, index, "a NUL byte inside");
    return text;
}

/* As luaL_checkoption, which ignores whatever stands behind a NUL byte. */
static inline int text_check_option(lua_State *L, int index, const char *preset,
                                    const char *const choices[])
{
    if (!preset || !lua_isnoneornil(L, index))
        text_check(L, index);
    return luaL_checkoption(L, index, preset, choices);
}

#endif
