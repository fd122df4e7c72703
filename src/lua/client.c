#include "lua/client.h"

#include "client/trace.h"
#include "lua/handler.h"
#include "lua/log.h"

const struct object_kind client_kind = {"steadysocket.client", sizeof(struct client),
                                        offsetof(struct client, kind), HANDLERS};

struct client *client_check(lua_State *L, int index)
{
    struct client *client = object_check(L, index, &client_kind);
    luaL_argcheck(L, client->loop && !client->loop->closed, index,
                  "the client is gone with its Lua state");
    luaL_argcheck(L, !steady_loop_is_foreign(&client->loop->core), index,
                  "the client belongs to the process of which this one is a fork");
    return client;
}

const char *client_url(const struct client *client)
{
    const struct steady_attempt *attempt = &client->core.attempt;
    const struct steady_options *options = &client->core.options;
    return attempt->url ? attempt->url->text : options->url_count ? options->urls[0].text : NULL;
}

void client_set_trace(lua_State *L, struct client *client, int index)
{
    enum steady_level own = log_level(L, index), other = client->environment;
    steady_client_trace(&client->core, own > other ? own : other);
}
