/* From the addresses of a host to one TCP connection, as RFC 8305 section 5 has it: an address that
 * does not answer soon gets the next one as a rival, one that fails at once is followed at once,
 * and the first connection wins. */
#ifndef STEADY_DIAL_RACE_H
#define STEADY_DIAL_RACE_H

#include "core/trace.h"
#include "dial/address.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include <stddef.h>

struct steady_race;

/* Calls to the owner, from the loop: one of them, once, unless it drops the race before. The race
 * is gone after it. */
struct steady_race_owner {
    /* The socket and its watch, which still calls the race, are the owner's now: steady_watch_give.
     */
    void (*connected)(void *owner, int socket, struct steady_watch *watch,
                      const struct steady_address *address);
    /* All addresses have failed. status: libuv's error of the one that tells most. */
    void (*failed)(void *owner, int status);
};

/* The addresses, at least one and at most STEADY_ADDRESSES_MAX, are copied, and so is `from`, the
 * local address to connect from; NULL: any. One of another family is none that can be reached
 * (UV_EAFNOSUPPORT), but for a socket of this machine it does not count. NULL: out of memory. */
struct steady_race *steady_race_start(struct steady_loop *loop,
                                      const struct steady_address *addresses, size_t count,
                                      const struct steady_address *from, struct steady_trace *trace,
                                      const struct steady_race_owner *calls, void *owner);

/* Ends it without a call to the owner; NULL is fine. */
void steady_race_drop(struct steady_race *race);

#endif
