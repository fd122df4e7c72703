/* From a URL to a stream of bytes on which a request can be sent: the name, TCP, the way through a
 * proxy, and TLS. */
#ifndef STEADY_DIAL_DIAL_H
#define STEADY_DIAL_DIAL_H

#include "dial/address.h"
#include "dial/failure.h"
#include "dial/stream.h"
#include "dial/target.h"
#include "loop/loop.h"

struct steady_dial;

/* Calls to the owner, from the loop: one of them, once, unless it drops the dial before. What they
 * point to is good during the call; the dial is gone after it. */
struct steady_dial_owner {
    /* The stream is the owner's now: steady_stream_give. address: what it is connected to. */
    void (*connected)(void *owner, struct steady_stream *stream,
                      const struct steady_address *address);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

/* NULL: out of memory. */
struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner);

/* It has taken too long: the call `failed` comes before this one returns, with STEADY_TIMEOUT
 * unless it has failed already. */
void steady_dial_time_out(struct steady_dial *dial, double seconds);

/* Ends it without a call to the owner; NULL is fine. */
void steady_dial_drop(struct steady_dial *dial);

#endif
