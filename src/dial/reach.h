/* From a target to a TCP connection: looks up the names of the server and the proxy, and connects
 * to the proxy, or to the server where there is no proxy. */
#ifndef STEADY_DIAL_REACH_H
#define STEADY_DIAL_REACH_H

#include "dial/address.h"
#include "dial/failure.h"
#include "dial/race.h"
#include "dial/target.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* The loop calls one of these functions, once, unless the reach is dropped before. failed may also
 * be called before steady_reach_start returns. */
struct steady_reach_owner {
    /* As in dial/race.h. reach->address is the peer's. */
    void (*connected)(void *owner, int socket, struct steady_watch *watch);
    /* The reason has been noted in the cause. */
    void (*failed)(void *owner);
};

/* A zeroed struct, for steady_reach_start. */
struct steady_reach {
    struct steady_loop *loop;
    const struct steady_target *target;
    const struct steady_reach_owner *calls;
    void *owner;
    struct steady_cause *cause;
    struct steady_dns *dns;         /* NULL unless a name is being looked up */
    struct steady_race *race;       /* NULL unless it is connecting */
    struct steady_servers *servers; /* NULL unless the proxy has to be given an address */
    struct steady_address address;  /* of the connection that was made */
};

void steady_reach_start(struct steady_reach *reach, struct steady_loop *loop,
                        const struct steady_target *target, struct steady_cause *cause,
                        const struct steady_reach_owner *calls, void *owner);

/* Whether a name is being looked up. */
bool steady_reach_is_resolving(const struct steady_reach *reach);

/* Returns the address of the server that the proxy has to be given, or NULL when the proxy is given
 * its name. */
const struct steady_address *steady_reach_server(const struct steady_reach *reach);

/* Whether the server has another address that the proxy can be given. */
bool steady_reach_has_next_server(const struct steady_reach *reach);

/* Goes on to the server's next address, which needs a new connection to the proxy: one of the calls
 * to the owner follows. */
void steady_reach_try_next_server(struct steady_reach *reach);

/* Ends it without a call to the owner. */
void steady_reach_drop(struct steady_reach *reach);

#endif
