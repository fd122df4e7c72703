/* The client as userdata: methods, properties, handlers. */
#ifndef STEADY_LUA_CLIENT_H
#define STEADY_LUA_CLIENT_H

#include "lua/loop.h"
#include "net/client.h"

#include <lua.h>
#include <stdbool.h>

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

struct client {
    struct steady_client core; /* the first member */
    const char *kind;          /* what tells it from all other userdata */
    struct loop *loop;         /* NULL until it is complete */
};

/* new(url [, on_message [, name]]) or new(options) -> client */
int client_new(lua_State *L);

/* Makes the metatable of clients, and adds to the table on top of the stack what
 * steadysocket/tasks.lua needs: methods (to be added to), take, watch. */
void client_open(lua_State *L);

/* The handler's number for "on_open" and so on, "should_reconnect" and "log", or 0. */
int client_handler(const char *name);

/* Sets a handler of the client at index (absolute) from the top of the stack, which it pops.
 * Returns NULL, or a static text that says what was expected; then nothing is changed. */
const char *client_set_handler(lua_State *L, int index, int handler);

#endif
