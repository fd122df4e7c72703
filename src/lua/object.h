/* The module's userdata: clients, timers, sources and loops. Lua code can call any method and any
 * metamethod with any value, __gc too, so each of these functions gets its object from here. */
#ifndef STEADY_LUA_OBJECT_H
#define STEADY_LUA_OBJECT_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/* A kind of userdata. A pointer to it stands in each object, which tells that from all others: no
 * userdata of another library has our size and our address in that place. */
struct object_kind {
    const char *name; /* of its metatable in the registry, and for messages */
    size_t size;      /* bytes */
    size_t offset;    /* of the `const struct object_kind *` in the object */
    int user_values;
};

/* The object at index, or NULL where there is a value of any other kind. Looks up nothing by name,
 * as luaL_testudata does: a client's methods are called for each message. */
static inline void *object_test(lua_State *L, int index, const struct object_kind *kind)
{
    char *object = lua_touserdata(L, index);
    if (!object || lua_rawlen(L, index) != kind->size)
        return NULL;
    return *(const struct object_kind **)(object + kind->offset) == kind ? object : NULL;
}

/* The same; raises an argument error for a value of any other kind. */
void *object_check(lua_State *L, int index, const struct object_kind *kind);

/* Pushes a new object, all of whose bytes are 0 but for its kind. */
void *object_new(lua_State *L, const struct object_kind *kind);

/* Makes the metatable, with these functions in it, and leaves it on the stack. It stays visible, as
 * that of Lua's files. */
void object_open(lua_State *L, const struct object_kind *kind, const luaL_Reg *functions);

/* An object that is active is held by the registry, under its own address, so that it lives without
 * a reference. object_release never fails, also where it is not held. */
void object_hold(lua_State *L, int index);
void object_release(lua_State *L, const void *object);

#endif
