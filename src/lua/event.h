/* Events as Lua sees them: arguments of handlers, and log lines. */
#ifndef STEADY_LUA_EVENT_H
#define STEADY_LUA_EVENT_H

#include "net/events.h"

#include <lua.h>

/* Pushes what the handler for this type of event gets before the client: two values for on_status,
 * none for on_drain, one for others. Returns how many. Messages, of which there are many, are the
 * client's own. */
int event_push(lua_State *L, const struct steady_event *event);

/* Pushes the level ("info", "warning" or "error") and a line for the log of the client of that
 * name. */
void event_push_log(lua_State *L, const char *name, const struct steady_event *event);

#endif
