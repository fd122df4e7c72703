/* The client as userdata: methods, properties, handlers. */
#ifndef STEADY_LUA_CLIENT_H
#define STEADY_LUA_CLIENT_H

#include "client/client.h"
#include "lua/loop.h"

#include <lua.h>

struct object_kind;

struct client {
    struct steady_client core; /* the first member */
    const struct object_kind *kind;
    enum steady_level environment; /* of the log that the environment asks for */
    struct loop *loop;             /* NULL until it is complete, and when it is gone */
};

/* new(url [, on_message [, name]]) or new(options) -> client */
int client_new(lua_State *L);

/* Makes the metatable of clients, and adds to the table on top of the stack what
 * steadysocket/tasks.lua needs: methods (to be added to), is_client, take, watch,
 * settled. */
void client_open(lua_State *L);

#endif
