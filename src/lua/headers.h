/* HTTP headers as a Lua table. This is only a header file, so that the specs of the core can use it
 * without the rest of the binding. */
#ifndef STEADY_LUA_HEADERS_H
#define STEADY_LUA_HEADERS_H

#include "core/response.h"

#include <lua.h>
#include <string.h>

/* Adds a value to the list in the field `name` of the table on top of the stack. */
static inline void headers_append(lua_State *L, const char *name, const char *value)
{
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    lua_pushstring(L, value);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

/* Pushes a table of headers, whose keys are names in lower case. The values are strings, but for
 * headers that must not be joined they are lists, even when there is only one such header.
 * `headers` has the form that struct steady_response describes. */
static inline void headers_push(lua_State *L, const struct steady_buffer *headers)
{
    const char *at = (const char *)headers->data, *end = at ? at + headers->size : at;
    lua_newtable(L);
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (steady_headers_stay_apart(at)) {
            headers_append(L, at, value);
        } else {
            lua_pushstring(L, value);
            lua_setfield(L, -2, at);
        }
        at = value + strlen(value) + 1;
    }
}

#endif
