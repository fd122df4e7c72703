#include "lua/place.h"

#include "lua/text.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void place_wrong(lua_State *L, struct place place, const char *what)
{
    const char *text = lua_pushfstring(L, "option '%s%s%s' %s", place.group ? place.group : "",
                                       place.group ? "." : "", place.name, what);
    luaL_error(L, "%s", text_push_shown(L, text, strlen(text)));
    abort(); /* not reached: luaL_error does not return */
}

_Noreturn void place_wrong_type(lua_State *L, struct place place, const char *expected, int index)
{
    place_wrong(L, place,
                lua_pushfstring(L, "is a %s, %s expected", luaL_typename(L, index), expected));
}

const char *place_text(lua_State *L, int index, struct place place, size_t *size)
{
    if (lua_type(L, index) != LUA_TSTRING)
        place_wrong_type(L, place, "string", index);
    return lua_tolstring(L, index, size);
}

lua_Unsigned place_list_size(lua_State *L, struct place place)
{
    lua_Unsigned size = lua_rawlen(L, -1), count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        lua_Unsigned index = lua_isinteger(L, -1) ? (lua_Unsigned)lua_tointeger(L, -1) : 0;
        if (index < 1 || index > size)
            place_wrong(L, place,
                        lua_pushfstring(L, "is not a plain list: it has the key '%s'",
                                        text_push_value(L, -1)));
        count++;
    }
    if (count < size)
        place_wrong(L, place, "is not a plain list: an entry is nil");
    return size;
}

void place_each(lua_State *L, struct place place,
                void (*take)(lua_State *L, struct place place, void *context), void *context)
{
    if (!lua_istable(L, -1)) {
        take(L, place, context);
        return;
    }
    lua_Unsigned count = place_list_size(L, place);
    if (!count)
        place_wrong(L, place, "is an empty list");
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        take(L, place, context);
        lua_pop(L, 1);
    }
}

const char *place_key(lua_State *L, const char *group)
{
    size_t size;
    if (lua_type(L, -2) != LUA_TSTRING)
        place_wrong(L, (struct place){group, text_push_value(L, -2)},
                    "is unknown: names of options are strings");
    const char *name = lua_tolstring(L, -2, &size);
    if (strlen(name) != size)
        place_wrong(L, (struct place){group, text_push_shown(L, name, size)},
                    "is unknown: its name has a NUL byte inside");
    return name;
}
