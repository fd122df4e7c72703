/* A client as userdata: the struct, and the check of an argument that should be a client.
 * lua/delivery, lua/methods and lua/properties have what a client can do, and lua/constructor makes
 * it. */
#ifndef STEADY_LUA_CLIENT_H
#define STEADY_LUA_CLIENT_H

#include "client/client.h"
#include "lua/loop.h"
#include "lua/object.h"

#include <lua.h>

struct client {
    struct steady_client core; /* the first member */
    const struct object_kind *kind;
    enum steady_level environment; /* the log level that the environment asks for */
    struct loop *loop; /* NULL until the client is complete, and again once it was finalized */
};

extern const struct object_kind client_kind;

/* Returns the client at `index`. Raises for any other value, for a client that was finalized or
 * whose Lua state is being closed, and for a client of the process that forked this one. */
struct client *client_check(lua_State *L, int index);

/* Returns the URL that the client uses now, or will use first, or NULL when it has none yet. */
const char *client_url(const struct client *client);

/* Sets the level of the client's trace, so that the client makes all lines that its own log or the
 * environment wants. The client is at `index`. This function has to be called again after the log
 * was set. */
void client_set_trace(lua_State *L, struct client *client, int index);

#endif
