#include "lua/handler.h"

#include <stdbool.h>
#include <string.h>

const char *const handler_names[HANDLERS + 1] = {
    [HANDLER_OPEN] = "on_open",     [HANDLER_MESSAGE] = "on_message",
    [HANDLER_CLOSE] = "on_close",   [HANDLER_ERROR] = "on_error",
    [HANDLER_STATUS] = "on_status", [HANDLER_DRAIN] = "on_drain",
    [HANDLER_PONG] = "on_pong",     [HANDLER_SHOULD_RECONNECT] = "should_reconnect",
    [HANDLER_LOG] = "log",
};

int handler_find(const char *name)
{
    for (int i = 1; i <= HANDLER_LOG; i++)
        if (!strcmp(handler_names[i], name))
            return i;
    return 0;
}

const char *handler_set(lua_State *L, int index, int handler)
{
    bool fits = lua_isfunction(L, -1) || lua_isnil(L, -1);
    if (fits)
        lua_setiuservalue(L, index, handler);
    else
        lua_pop(L, 1);
    return fits ? NULL : "function";
}
