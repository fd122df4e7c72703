/* What a client calls: its handlers, and the functions that stand in the place of options. */
#ifndef STEADY_LUA_HANDLER_H
#define STEADY_LUA_HANDLER_H

#include <lua.h>

/* The handlers, each in the user value of its number. */
enum handler {
    HANDLER_OPEN = 1,
    HANDLER_MESSAGE,
    HANDLER_CLOSE,
    HANDLER_ERROR,
    HANDLER_STATUS,
    HANDLER_DRAIN,
    HANDLER_PONG,
    HANDLER_SHOULD_RECONNECT,
    HANDLER_LOG,     /* a function, or true for standard error */
    HANDLER_URL,     /* url = function: no handler to be assigned, but kept like one */
    HANDLER_HEADERS, /* headers = function */
    HANDLER_WATCH,   /* called after each delivery, for calls that wait */
    HANDLERS = HANDLER_WATCH
};

extern const char *const handler_names[HANDLERS + 1]; /* NULL where it cannot be assigned */

/* The handler's number for "on_open" and so on, "should_reconnect" and "log", or 0. */
int handler_find(const char *name);

/* Sets a handler of the client at index (absolute) from the top of the stack, which it pops.
 * Returns NULL, or a static text that says what was expected; then nothing is changed. */
const char *handler_set(lua_State *L, int index, int handler);

#endif
