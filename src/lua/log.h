/* The log of a client. There are two: the one that the program has set, and the one on standard
 * error that the environment asks for. */
#ifndef STEADY_LUA_LOG_H
#define STEADY_LUA_LOG_H

#include "client/events.h"
#include "lua/loop.h"

#include <lua.h>

/* Pops a value and makes it the log of the client at `index`, which is absolute. The value is nil
 * or false for no log, true for standard error, a function, or a table { level, to }. Returns NULL.
 * When the type of the value is wrong, changes nothing and returns a static text with the name of
 * the right type. Raises when something in the table is wrong. */
const char *log_set(lua_State *L, int index);

/* Returns the most detailed level that the client's log wants. */
enum steady_level log_level(lua_State *L, int index);

/* Returns the level that the environment variable STEADYSOCKET_LOG wants for every client. */
enum steady_level log_level_of_environment(void);

struct log_request {
    const void *client; /* the key of the client in the registry */
    const char *name;   /* the name of the client */
    enum steady_level environment;
    const struct steady_event *event;
};

/* Writes the line of an event, if one of the two logs wants it. Must be called during a delivery,
 * with the client at index 2 of the stack. The line has a protected call of its own, so that the
 * handler gets the event even when the log fails. */
void log_event(lua_State *L, struct loop *loop, const struct log_request *request);

#endif
