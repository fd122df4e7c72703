/* The module's userdata: clients, timers, sources and loops. Lua code can call any method and any
 * metamethod, even __gc, with any value. So each of these functions gets its object from
 * object_check. */
#ifndef STEADY_LUA_OBJECT_H
#define STEADY_LUA_OBJECT_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/* A kind of userdata. Each object contains a pointer to its kind, by which it is recognized: no
 * userdata of another library has the same size and this address in the same place. */
struct object_kind {
    const char *name; /* for error messages, and as the registry's key for the metatable */
    size_t size;      /* bytes */
    size_t offset;    /* the place of the pointer to the kind in the object */
    int user_values;
};

/* Returns the object at index, or NULL for a value of any other kind. It is faster than
 * luaL_testudata, which looks up the metatable by its name, because some methods are called for
 * each message. */
static inline void *object_test(lua_State *L, int index, const struct object_kind *kind)
{
    char *object = lua_touserdata(L, index);
    if (!object || lua_rawlen(L, index) != kind->size)
        return NULL;
    return *(const struct object_kind **)(object + kind->offset) == kind ? object : NULL;
}

/* Works like object_test, but raises an argument error for a value of any other kind. */
static inline void *object_check(lua_State *L, int index, const struct object_kind *kind)
{
    void *object = object_test(L, index, kind);
    if (!object)
        luaL_typeerror(L, index, kind->name);
    return object;
}

/* Pushes a new object. All of its bytes are 0, except the pointer to its kind. */
void *object_new(lua_State *L, const struct object_kind *kind);

/* Makes the metatable with these functions in it, and leaves it on the stack. As with Lua's own
 * files, getmetatable returns it. */
void object_open(lua_State *L, const struct object_kind *kind, const luaL_Reg *functions);

/* object_hold makes the registry refer to an object, with the object's own address as the key, so
 * that Lua does not collect the object while it is active. object_release ends that. It never
 * fails, and does nothing for an object that is not in the registry. */
void object_hold(lua_State *L, int index);
void object_release(lua_State *L, const void *object);

#endif
