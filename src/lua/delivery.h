/* Carries out in Lua what a client needs from its owner: delivers events to handlers, and calls the
 * functions that are values of options. */
#ifndef STEADY_LUA_DELIVERY_H
#define STEADY_LUA_DELIVERY_H

#include "client/client.h"

/* The owner of each struct client. */
extern const struct steady_client_owner delivery_owner;

#endif
