/* Reads the variable no_proxy, which lists hosts that are reached without a proxy. There is no RFC
 * for it. This code does what curl, Go and Python agree on; where they differ, it does what is
 * least harmful. */
#ifndef STEADY_CORE_NO_PROXY_H
#define STEADY_CORE_NO_PROXY_H

#include <stdbool.h>
#include <stdint.h>

/* Returns whether the list covers a host, which is a name or a literal address (IPv6 without
 * brackets). The list has commas or blanks between its entries. An entry is "*" for all hosts; a
 * name with all its subdomains, with or without "." or "*." in front; an IPv4 or IPv6 address; or a
 * network, such as "10.0.0.0/8" or "fd00::/8". An entry with a port behind it is for that port
 * only; IPv6 needs brackets then. Names do not cover addresses, and addresses do not cover names.
 * Other entries cover nothing. */
bool steady_no_proxy_covers(const char *list, const char *host, uint16_t port);

#endif
