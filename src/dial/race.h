/* A race leads from the addresses of a host to one TCP connection, by RFC 8305 section 5. When an
 * address does not answer soon, a connection to the next one is begun beside it. When an address
 * fails, the next one starts at once. The first connection that is made wins, and the others are
 * dropped. */
#ifndef STEADY_DIAL_RACE_H
#define STEADY_DIAL_RACE_H

#include "core/trace.h"
#include "dial/address.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include <stddef.h>

struct steady_race;

/* The loop calls one of these functions, once, unless the owner drops the race before. The race is
 * freed before the call. */
struct steady_race_owner {
    /* The socket and its watch belong to the owner now. The watch still calls the race until the
     * owner calls steady_watch_give. */
    void (*connected)(void *owner, int socket, struct steady_watch *watch,
                      const struct steady_address *address);
    /* All addresses have failed. `status` is the most informative of libuv's errors. */
    void (*failed)(void *owner, int status);
};

/* Starts a race. There must be at least one address and at most STEADY_ADDRESSES_MAX. The addresses
 * are copied, and so is `from`, the local address to connect from, or NULL for any. An address of
 * another family than that of `from` fails with UV_EAFNOSUPPORT. `from` is ignored for a socket of
 * this machine. Returns NULL when memory is out. */
struct steady_race *steady_race_start(struct steady_loop *loop,
                                      const struct steady_address *addresses, size_t count,
                                      const struct steady_address *from, struct steady_trace *trace,
                                      const struct steady_race_owner *calls, void *owner);

/* Ends a race without a call to the owner. NULL is allowed. */
void steady_race_drop(struct steady_race *race);

#endif
