/* The Lua functions that a client calls: its handlers, and the functions that are values of the
 * options `url`, `headers` and `protocols`. */
#ifndef STEADY_LUA_HANDLER_H
#define STEADY_LUA_HANDLER_H

#include <lua.h>

/* The numbers of the user values in which the client keeps the functions. */
enum handler {
    HANDLER_OPEN = 1,
    HANDLER_MESSAGE,
    HANDLER_CLOSE,
    HANDLER_ERROR,
    HANDLER_STATUS,
    HANDLER_DRAIN,
    HANDLER_PONG,
    HANDLER_SHOULD_RECONNECT,
    HANDLER_LOG,       /* the value that the program has set, see lua/log */
    HANDLER_URL,       /* the option url, when it is a function; it cannot be assigned later */
    HANDLER_HEADERS,   /* the same for the option headers */
    HANDLER_PROTOCOLS, /* the same for the option protocols */
    HANDLER_LOG_TO,    /* the function of the log; nil for standard error */
    HANDLER_LOG_LEVEL, /* the level of the log as a number */
    HANDLER_WATCH,     /* called after each delivery, to wake the calls that wait for the client */
    HANDLERS = HANDLER_WATCH
};

extern const char *const handler_names[HANDLERS + 1]; /* NULL for those that cannot be assigned */

/* Returns the number of the handler with this name ("on_open", "log" and so on), or 0 when there is
 * none. */
int handler_find(const char *name);

/* Pops a value and sets a handler of a client to it. This is for all handlers but the log. `index`
 * is the absolute index of the client. Returns NULL. When the type of the value is wrong, changes
 * nothing and returns a static text with the name of the right type. */
const char *handler_set(lua_State *L, int index, int handler);

#endif
