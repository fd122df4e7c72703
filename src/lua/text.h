/* Handles strings of Lua, which may have NUL bytes inside, where a C string ends, and bytes that
 * must not be in a message. So "text\0more" is neither taken for "text" nor shown as "text". */
#ifndef STEADY_LUA_TEXT_H
#define STEADY_LUA_TEXT_H

#include "core/harmless.h"

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

/* Returns the argument at index as a C string. Raises when it is not a string, or has a NUL byte
 * inside. */
static inline const char *text_check(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, strlen(text) == size, index, "a NUL byte inside");
    return text;
}

/* Pushes a text as it is shown in messages, and returns it. It is harmless, and includes everything
 * behind a NUL byte. */
static inline const char *text_push_shown(lua_State *L, const char *text, size_t size)
{
    luaL_Buffer shown;
    char *out = luaL_buffinitsize(L, &shown, STEADY_HARMLESS_MAX * size + 1);
    luaL_pushresultsize(&shown, steady_harmless(out, (const uint8_t *)text, size));
    return lua_tostring(L, -1);
}

/* Works like luaL_tolstring, but makes a text for messages. */
static inline const char *text_push_value(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_tolstring(L, index, &size);
    return text_push_shown(L, text, size);
}

/* Works like luaL_checkoption, but does not ignore what is behind a NUL byte, and shows harmless
 * text only. */
static inline int text_check_option(lua_State *L, int index, const char *preset,
                                    const char *const choices[])
{
    const char *text = preset && lua_isnoneornil(L, index) ? preset : text_check(L, index);
    for (int i = 0; choices[i]; i++)
        if (!strcmp(choices[i], text))
            return i;
    text = text_push_shown(L, text, strlen(text));
    return luaL_argerror(L, index, lua_pushfstring(L, "invalid option '%s'", text));
}

#endif
