/* Lua's strings may have NUL bytes inside, where a C string ends: "text\0more" must not pass for
 * "text". */
#ifndef STEADY_LUA_TEXT_H
#define STEADY_LUA_TEXT_H

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

/* The argument at index as a C string; raises for what is no string, or has a NUL byte inside. */
static inline const char *text_check(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, strlen(text) == size, index, "a NUL byte inside");
    return text;
}

/* As luaL_checkoption, which compares only what is before a NUL byte. */
static inline int text_check_option(lua_State *L, int index, const char *preset,
                                    const char *const choices[])
{
    if (!preset || !lua_isnoneornil(L, index))
        text_check(L, index);
    return luaL_checkoption(L, index, preset, choices);
}

#endif
