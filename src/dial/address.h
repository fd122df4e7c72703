/* Addresses of sockets: IPv4, IPv6, and sockets of this machine. */
#ifndef STEADY_DIAL_ADDRESS_H
#define STEADY_DIAL_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

struct addrinfo;

struct steady_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } socket; /* with the port */
    /* The numeric address without the port but with the zone, such as "fe80::1%eth0", or the path
     * of a socket of this machine. */
    char text[112];
};

#define STEADY_ADDRESSES_MAX 16 /* the number of addresses of one name that are used, at most */

/* Reads a literal address; IPv6 has no brackets here. Returns 1 and sets *address, or returns 0
 * when the host is a name. `zone` is the name or number of the network interface of an IPv6
 * address, or NULL. When this machine has no such interface, the function returns 0 and sets
 * *problem to a static text that says so. */
size_t steady_address_literal(const char *host, const char *zone, uint16_t port,
                              struct steady_address *address, const char **problem);

/* Sets *address to that of a socket of this machine. `path` has at most STEADY_SOCKET_MAX bytes. */
void steady_address_of_socket(const char *path, struct steady_address *address);

/* Returns the size of the struct that the system uses for this address. */
socklen_t steady_address_size(const struct steady_address *address);

/* Copies up to STEADY_ADDRESSES_MAX addresses of a resolver's answer into `addresses`, in the order
 * in which they should be tried: IPv6 and IPv4 alternate (RFC 8305 section 4). Returns their count.
 */
size_t steady_address_sort(const struct addrinfo *list, uint16_t port,
                           struct steady_address *addresses);

#endif
