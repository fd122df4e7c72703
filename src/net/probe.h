/* Why a TCP connection does not come about: libwebsockets does not tell, so libuv is asked, with a
 * second attempt that is given up as soon as it succeeds. */
#ifndef STEADY_NET_PROBE_H
#define STEADY_NET_PROBE_H

#include "net/dns.h"
#include "net/loop.h"

struct steady_probe;

/* Called once, from the loop, when the probe is gone. status: 0 when the connection did come about,
 * otherwise libuv's error. */
typedef void (*steady_probe_done)(void *owner, int status);

/* NULL when out of memory. */
struct steady_probe *steady_probe_start(struct steady_loop *loop,
                                        const struct steady_address *address,
                                        steady_probe_done done, void *owner);

/* The owner does not want the answer any more; NULL is fine. */
void steady_probe_cancel(struct steady_probe *probe);

#endif
