/* Hosts that are reached without a proxy, as the variable no_proxy lists them. No RFC has it; this
 * is what curl, Go and Python agree on, and where they differ, what does the least harm. */
#ifndef STEADY_CORE_NO_PROXY_H
#define STEADY_CORE_NO_PROXY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the list covers a host, which is a name or a literal address (IPv6 without brackets). The
 * list has commas or blanks between its entries. An entry is "*", for all; a name, whose subdomains
 * count, with or without "." or "*." in front; an IPv4 or IPv6 address; or a network, as
 * "10.0.0.0/8" or "fd00::/8". Each may have a port behind it, and is for that port only then; IPv6
 * needs brackets for that. Names cover no addresses, and addresses no names. Entries that are
 * nothing of this cover nothing. */
bool steady_no_proxy_covers(const char *list, const char *host, uint16_t port);

#endif
