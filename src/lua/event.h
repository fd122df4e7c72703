/* Events as Lua sees them: arguments of handlers, and log lines. */
#ifndef STEADY_LUA_EVENT_H
#define STEADY_LUA_EVENT_H

#include "client/events.h"

#include <lua.h>

/* Pushes the arguments that the handler for this event gets, except the client, which is its last
 * one: two for on_status, none for on_drain, one for each other handler. Returns how many it
 * pushed. Not for messages, which lua/delivery.c pushes by itself for speed. */
int event_push(lua_State *L, const struct steady_event *event);

/* The level of an event's line in the log, and its text. name: the client's. */
enum steady_level event_level(const struct steady_event *event);
void event_push_line(lua_State *L, const char *name, const struct steady_event *event);

#endif
