#include "lua/failures.h"

#include <lauxlib.h>
#include <stddef.h>

/* The user value is a table. The errors are at its indices from `next` to `last`. */
struct failures {
    lua_Integer next, last;
    size_t lost; /* how many errors could not be kept for lack of memory */
};

static const char key; /* the address of this variable is the list's key in the registry */

struct failures *failures_get(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    struct failures *failures = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (failures)
        return failures;
    failures = lua_newuserdatauv(L, sizeof *failures, 1);
    *failures = (struct failures){.next = 1};
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
    return failures;
}

static void push_table(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
}

int failures_add(lua_State *L)
{
    struct failures *failures = lua_touserdata(L, 1);
    push_table(L);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, failures->last + 1);
    failures->last++;
    return 0;
}

void failures_lose(struct failures *failures)
{
    failures->lost++;
}

bool failures_any(const struct failures *failures)
{
    return failures->next <= failures->last || failures->lost > 0;
}

void failures_raise(lua_State *L, struct failures *failures)
{
    if (failures->next <= failures->last) {
        lua_Integer index = failures->next++;
        push_table(L);
        lua_rawgeti(L, -1, index);
        lua_pushnil(L);
        lua_rawseti(L, -3, index);
        if (failures->next > failures->last)
            *failures = (struct failures){.next = 1, .lost = failures->lost};
        lua_error(L);
    }
    size_t lost = failures->lost;
    failures->lost = 0;
    if (lost)
        luaL_error(L, "not enough memory to keep %I more errors", (LUAI_UACINT)lost);
}
