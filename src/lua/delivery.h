/* What a client asks of its owner, as Lua functions: it delivers events to handlers, and calls the
 * functions that options may be. */
#ifndef STEADY_LUA_DELIVERY_H
#define STEADY_LUA_DELIVERY_H

#include "client/client.h"

/* The owner of each struct client. */
extern const struct steady_client_owner delivery_owner;

#endif
