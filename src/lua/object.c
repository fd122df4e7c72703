#include "lua/object.h"

#include <string.h>

void *object_new(lua_State *L, const struct object_kind *kind)
{
    char *object = lua_newuserdatauv(L, kind->size, kind->user_values);
    memset(object, 0, kind->size);
    *(const struct object_kind **)(object + kind->offset) = kind;
    luaL_setmetatable(L, kind->name);
    return object;
}

void object_open(lua_State *L, const struct object_kind *kind, const luaL_Reg *functions)
{
    luaL_newmetatable(L, kind->name);
    luaL_setfuncs(L, functions, 0);
}

void object_hold(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, index));
}

/* Looks first whether the field exists, because assigning nil to a field that does not exist may
 * allocate memory, and so fail. */
void object_release(lua_State *L, const void *object)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, object) != LUA_TNIL) {
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, object);
    }
    lua_pop(L, 1);
}
