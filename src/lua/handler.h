/* The Lua functions that a client calls: its handlers, and the functions that the options `url`,
 * `headers` and `protocols` may be. */
#ifndef STEADY_LUA_HANDLER_H
#define STEADY_LUA_HANDLER_H

#include <lua.h>

/* Each function is in the client's user value of this number. */
enum handler {
    HANDLER_OPEN = 1,
    HANDLER_MESSAGE,
    HANDLER_CLOSE,
    HANDLER_ERROR,
    HANDLER_STATUS,
    HANDLER_DRAIN,
    HANDLER_PONG,
    HANDLER_SHOULD_RECONNECT,
    HANDLER_LOG,       /* as it was given, see lua/log */
    HANDLER_URL,       /* the option url, where it is a function; it cannot be assigned later */
    HANDLER_HEADERS,   /* the option headers, likewise */
    HANDLER_PROTOCOLS, /* the option protocols, likewise */
    HANDLER_LOG_TO,    /* its function; nil: standard error */
    HANDLER_LOG_LEVEL, /* a number, see lua/log */
    HANDLER_WATCH,     /* called after each delivery; wakes the calls that wait for the client */
    HANDLERS = HANDLER_WATCH
};

extern const char *const handler_names[HANDLERS + 1]; /* NULL for those that cannot be assigned */

/* Returns the number of the handler of this name ("on_open", "log" and so on), or 0 when there is
 * none. */
int handler_find(const char *name);

/* Pops a value and sets a handler, but for the log, of the client at `index`, which is absolute, to
 * it. Returns NULL; or, when the value is of a wrong type, changes nothing and returns the name of
 * the type that is needed, a static text. */
const char *handler_set(lua_State *L, int index, int handler);

#endif
