/* The log of a client: the one that its program has set, and the one that the environment asks for,
 * on standard error. */
#ifndef STEADY_LUA_LOG_H
#define STEADY_LUA_LOG_H

#include "client/events.h"
#include "lua/loop.h"

#include <lua.h>

/* Pops a value and makes it the log of the client at `index`, which is absolute: nil or false for
 * none, true, a function, or a table { level, to }. Returns NULL; or, when the value is of a wrong
 * type, changes nothing and returns the name of the type that is needed, a static text. Raises when
 * something is wrong with what the table has. */
const char *log_set(lua_State *L, int index);

/* The most detailed level that the client's log wants. */
enum steady_level log_level(lua_State *L, int index);

/* The level that the environment wants for every client: STEADYSOCKET_LOG. */
enum steady_level log_level_of_environment(void);

struct log_request {
    const void *client; /* the registry's key for it */
    const char *name;   /* the client's */
    enum steady_level environment;
    const struct steady_event *event;
};

/* Writes the line of an event, if one of the two wants it. During a delivery, with the client at
 * index 2 of the stack. It has a protected call of its own, so that an error in the log does not
 * keep the event from its handler. */
void log_event(lua_State *L, struct loop *loop, const struct log_request *request);

#endif
