/* A dial leads from a target to a stream of bytes on which a request can be sent. It looks up
 * names, connects by TCP, asks the proxy for a tunnel, and makes the TLS handshake. */
#ifndef STEADY_DIAL_DIAL_H
#define STEADY_DIAL_DIAL_H

#include "dial/address.h"
#include "dial/failure.h"
#include "dial/stream.h"
#include "dial/target.h"
#include "loop/loop.h"

struct steady_dial;

/* The loop calls one of these functions, once, unless the owner drops the dial before. The pointers
 * are valid during the call, and the dial is freed after it. */
struct steady_dial_owner {
    /* The stream belongs to the owner now, which has to call steady_stream_give. `address` is the
     * address of the peer. */
    void (*connected)(void *owner, struct steady_stream *stream,
                      const struct steady_address *address);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

/* Starts a dial to `target`. The owner gets one of `calls`. Returns NULL when memory is out. */
struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner);

/* Ends a dial that has taken too long: `failed` is called before this function returns. The error
 * is STEADY_TIMEOUT, unless the dial has already failed for another reason. `seconds` is the time
 * that the dial had, for the message. */
void steady_dial_time_out(struct steady_dial *dial, double seconds);

/* Ends a dial without a call to the owner. NULL is allowed. */
void steady_dial_drop(struct steady_dial *dial);

#endif
