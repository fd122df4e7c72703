/* Turns events into arguments of handlers, and into log lines. */
#ifndef STEADY_LUA_EVENT_H
#define STEADY_LUA_EVENT_H

#include "client/events.h"

#include <lua.h>

/* Pushes the arguments that the handler for this event gets, except the last one, which is the
 * client: two arguments for on_status, none for on_drain, and one for each other handler. Returns
 * how many it pushed. This function is not for messages, which lua/delivery.c pushes itself, for
 * speed. */
int event_push(lua_State *L, const struct steady_event *event);

/* event_level returns the level of an event's line in the log, and event_push_line pushes the text
 * of that line. `name` is the name of the client. */
enum steady_level event_level(const struct steady_event *event);
void event_push_line(lua_State *L, const char *name, const struct steady_event *event);

#endif
