/* Whether the system knows a way to an address. */
#ifndef STEADY_NET_ROUTE_H
#define STEADY_NET_ROUTE_H

#include "net/dns.h"
#include "net/loop.h"

/* 0, or the errno that says why no packet can go there. Sends nothing. Attempts are many when a
 * server comes back, so a good answer holds for all of them within a tenth of a second. */
int steady_route_error(struct steady_loop *loop, const struct steady_address *address);

#endif
