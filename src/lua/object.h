/* The module's userdata: clients, timers, sources and loops. Lua code can call any method and any
 * metamethod, also __gc, with any value. So each of these functions gets its object by
 * object_check. */
#ifndef STEADY_LUA_OBJECT_H
#define STEADY_LUA_OBJECT_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/* A kind of userdata. Each object has a pointer to its kind in it, which tells it from all others:
 * no userdata of another library has both our size and our address in this place. */
struct object_kind {
    const char *name; /* in error messages, and the registry's key for the metatable */
    size_t size;      /* bytes */
    size_t offset;    /* of the pointer to the kind, in the object */
    int user_values;
};

/* Returns the object at index, or NULL for a value of any other kind. Faster than luaL_testudata,
 * which looks the metatable up by its name: some methods are called for each message. */
static inline void *object_test(lua_State *L, int index, const struct object_kind *kind)
{
    char *object = lua_touserdata(L, index);
    if (!object || lua_rawlen(L, index) != kind->size)
        return NULL;
    return *(const struct object_kind **)(object + kind->offset) == kind ? object : NULL;
}

/* The same, but raises an argument error for a value of any other kind. */
void *object_check(lua_State *L, int index, const struct object_kind *kind);

/* Pushes a new object. All of its bytes are 0, except the pointer to its kind. */
void *object_new(lua_State *L, const struct object_kind *kind);

/* Makes the metatable with these functions in it, and leaves it on the stack. getmetatable shows
 * it, as that of Lua's files. */
void object_open(lua_State *L, const struct object_kind *kind, const luaL_Reg *functions);

/* The registry holds objects that are active, each under its own address, so that Lua does not
 * collect them. object_release never fails, and does nothing for an object that is not held. */
void object_hold(lua_State *L, int index);
void object_release(lua_State *L, const void *object);

#endif
