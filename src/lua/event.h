/* Events as Lua sees them: arguments of handlers, and log lines. */
#ifndef STEADY_LUA_EVENT_H
#define STEADY_LUA_EVENT_H

#include "net/events.h"

#include <lua.h>

struct client;

/* Pushes what the handler for this type of event gets before the client: one value for on_open,
 * on_close and on_error, two for on_message and on_status. Returns how many. */
int event_push(lua_State *L, const struct steady_event *event);

/* Pushes the level ("info", "warning" or "error") and a line for the log. */
void event_push_log(lua_State *L, const struct client *client, const struct steady_event *event);

/* "text" or "binary". */
const char *event_kind(const struct steady_event *event);

#endif
