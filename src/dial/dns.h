/* Host names to addresses, off the loop: threads ask the system's resolver, one for each name. */
#ifndef STEADY_DIAL_DNS_H
#define STEADY_DIAL_DNS_H

#include "loop/loop.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

struct steady_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } socket;       /* with the port */
    char text[112]; /* numeric, without the port; or the path of a socket */
};

#define STEADY_DNS_MAX 16 /* addresses of one name that are looked at */

struct steady_dns;

/* Called once, from the loop: the addresses in the order to try them, IPv6 and IPv4 in turns (RFC
 * 8305 section 4), or count 0 with a static text that says why there are none. */
typedef void (*steady_dns_done)(void *owner, const struct steady_address *addresses, size_t count,
                                const char *problem);

/* A literal address (IPv6 without brackets) is no question for a resolver: returns its count, 1,
 * with the address in *address, or 0. */
size_t steady_dns_literal(const char *host, uint16_t port, struct steady_address *address);

/* The address of a socket of this machine. path: at most STEADY_SOCKET_MAX bytes. */
void steady_dns_socket(const char *path, struct steady_address *address);

/* The size of the address's struct. */
socklen_t steady_dns_size(const struct steady_address *address);

/* NULL when out of memory, or of threads. */
struct steady_dns *steady_dns_resolve(struct steady_loop *loop, const char *host, uint16_t port,
                                      steady_dns_done done, void *owner);

/* The owner does not want the answer any more; NULL is fine. */
void steady_dns_cancel(struct steady_dns *dns);

#endif
