/* Looks up host names. Threads ask the system's resolver, one thread for each name, so that the
 * loop never waits for it. */
#ifndef STEADY_DIAL_DNS_H
#define STEADY_DIAL_DNS_H

#include "dial/address.h"
#include "loop/loop.h"

#include <stddef.h>
#include <stdint.h>

struct steady_dns;

/* The loop calls this function once, with the addresses in the order in which they should be tried
 * (see dial/address.h), or with a `count` of 0 and a static text in `problem` that says why there
 * are none. */
typedef void (*steady_dns_done)(void *owner, const struct steady_address *addresses, size_t count,
                                const char *problem);

/* Starts to look up a name. The addresses of the answer have the port `port`. Returns NULL when
 * memory or threads have run out. */
struct steady_dns *steady_dns_resolve(struct steady_loop *loop, const char *host, uint16_t port,
                                      steady_dns_done done, void *owner);

/* Ends the request without a call to the owner. NULL is allowed. */
void steady_dns_cancel(struct steady_dns *dns);

#endif
