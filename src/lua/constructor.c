#include "lua/constructor.h"

#include "loop/leave.h"
#include "lua/client.h"
#include "lua/delivery.h"
#include "lua/log.h"
#include "lua/methods.h"
#include "lua/options.h"
#include "lua/properties.h"

#include <lauxlib.h>

/* Returns whether some C function further up the stack still needs the client. The collector never
 * finalizes such a client, but a handler can: by os.exit with close = true, or by calling __gc. */
static bool is_in_use(const struct client *client)
{
    return client->core.entered ||
           (client->core.alive && steady_loop_is_turning(&client->loop->core));
}

static int client_gc(lua_State *L)
{
    struct client *client = object_check(L, 1, &client_kind);
    if (!client->loop) {
        steady_options_free(&client->core.options);
    } else if (!client->loop->closed && !is_in_use(client)) {
        steady_loop_leave(&client->loop->core);
        steady_client_free(&client->core);
        client->loop = NULL;
        object_release(L, client);
    }
    return 0;
}

int constructor_new(lua_State *L)
{
    lua_settop(L, 3);
    struct loop *loop =
        loop_get(L); /* is made first, because Lua finalizes objects in the reverse order */
    struct client *client = object_new(L, &client_kind);
    steady_options_init(&client->core.options);
    int index = lua_gettop(L);
    options_read(L, index, &client->core.options);
    if (!steady_client_init(&client->core, &loop->core, &delivery_owner))
        return luaL_error(L, "not enough memory");
    client->loop = loop;
    client->environment = log_level_of_environment();
    client_set_trace(L, client, index);
    lua_settop(L, index);
    return 1;
}

void constructor_open(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", client_gc}, {NULL, NULL}};
    methods_register_waiting(L);
    object_open(L, &client_kind, meta);
    methods_push(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "methods");
    properties_register(L);
    lua_pop(L, 1);
}
