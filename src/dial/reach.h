/* A reach leads from a target to a TCP connection. It looks up the names of the server and the
 * proxy, and connects to the proxy, or to the server when there is no proxy. */
#ifndef STEADY_DIAL_REACH_H
#define STEADY_DIAL_REACH_H

#include "dial/address.h"
#include "dial/failure.h"
#include "dial/race.h"
#include "dial/target.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* The loop calls one of these functions, once, unless the reach is dropped before. `failed` may
 * also be called before steady_reach_start returns. */
struct steady_reach_owner {
    /* The owner gets the socket and its watch as in dial/race.h. The member `address` of the reach
     * is the peer's. */
    void (*connected)(void *owner, int socket, struct steady_watch *watch);
    /* The reason has been noted in the cause. */
    void (*failed)(void *owner);
};

/* The struct has to be zeroed before steady_reach_start. */
struct steady_reach {
    struct steady_loop *loop;
    const struct steady_target *target;
    const struct steady_reach_owner *calls;
    void *owner;
    struct steady_cause *cause;
    struct steady_dns *dns;         /* NULL unless a name is being looked up */
    struct steady_race *race;       /* NULL unless it is connecting */
    struct steady_servers *servers; /* NULL unless the proxy has to be given an address */
    struct steady_address address;  /* the peer's address, when the connection has been made */
};

void steady_reach_start(struct steady_reach *reach, struct steady_loop *loop,
                        const struct steady_target *target, struct steady_cause *cause,
                        const struct steady_reach_owner *calls, void *owner);

/* Returns whether a name is being looked up. */
bool steady_reach_is_resolving(const struct steady_reach *reach);

/* Returns the address of the server that the proxy has to be given, or NULL when the proxy is given
 * its name. */
const struct steady_address *steady_reach_server(const struct steady_reach *reach);

/* Returns whether the server has another address that the proxy can be given. */
bool steady_reach_has_next_server(const struct steady_reach *reach);

/* Goes on to the server's next address. That needs a new connection to the proxy, so one of the
 * calls to the owner follows. */
void steady_reach_try_next_server(struct steady_reach *reach);

/* Ends the reach without a call to the owner. */
void steady_reach_drop(struct steady_reach *reach);

#endif
