#include "dial/address.h"

#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Appends the zone of an IPv6 address to its text. The zone is the interface's name, or its number
 * when this machine no longer has the interface. */
static void append_zone(struct steady_address *address)
{
    size_t used = strlen(address->text);
    char name[IF_NAMESIZE];
    unsigned zone = address->socket.v6.sin6_scope_id;
    if (zone && if_indextoname(zone, name))
        snprintf(address->text + used, sizeof address->text - used, "%%%s", name);
    else if (zone)
        snprintf(address->text + used, sizeof address->text - used, "%%%u", zone);
}

static void set_text(struct steady_address *address)
{
    if (address->socket.any.sa_family == AF_INET6) {
        uv_ip6_name(&address->socket.v6, address->text, sizeof address->text);
        append_zone(address);
    } else {
        uv_ip4_name(&address->socket.v4, address->text, sizeof address->text);
    }
}

/* Returns the index of the interface with this name or number (RFC 4007 section 11.2), or 0 when
 * there is none. */
static unsigned zone_index(const char *zone)
{
    char name[IF_NAMESIZE], *end;
    unsigned index = if_nametoindex(zone);
    if (index)
        return index;
    unsigned long number = strtoul(zone, &end, 10);
    return !*end && number <= UINT_MAX && if_indextoname((unsigned)number, name) ? (unsigned)number
                                                                                 : 0;
}

size_t steady_address_literal(const char *host, const char *zone, uint16_t port,
                              struct steady_address *address, const char **problem)
{
    memset(address, 0, sizeof *address);
    if (uv_ip4_addr(host, port, &address->socket.v4) &&
        uv_ip6_addr(host, port, &address->socket.v6))
        return 0;
    if (zone && !(address->socket.v6.sin6_scope_id = zone_index(zone))) {
        *problem = "this machine has no such network interface";
        return 0;
    }
    set_text(address);
    return 1;
}

void steady_address_of_socket(const char *path, struct steady_address *address)
{
    struct sockaddr_un *local = &address->socket.local;
    *local = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(local->sun_path, sizeof local->sun_path, "%s", path);
    snprintf(address->text, sizeof address->text, "%s", path);
}

socklen_t steady_address_size(const struct steady_address *address)
{
    switch (address->socket.any.sa_family) {
    case AF_INET:
        return sizeof address->socket.v4;
    case AF_INET6:
        return sizeof address->socket.v6;
    default:
        return sizeof address->socket.local;
    }
}

static void set_port(struct steady_address *address, uint16_t port)
{
    if (address->socket.any.sa_family == AF_INET6)
        address->socket.v6.sin6_port = htons(port);
    else
        address->socket.v4.sin_port = htons(port);
}

/* Returns the first address of a family in the list, or NULL when there is none. The resolver has
 * sorted the list by preference (RFC 6724). */
static const struct addrinfo *next_of(const struct addrinfo *list, int family)
{
    while (list && list->ai_family != family)
        list = list->ai_next;
    return list;
}

size_t steady_address_sort(const struct addrinfo *list, uint16_t port,
                           struct steady_address *addresses)
{
    int family = list && list->ai_family == AF_INET ? AF_INET : AF_INET6;
    const struct addrinfo *mine = next_of(list, family), *other;
    other = next_of(list, family == AF_INET ? AF_INET6 : AF_INET);
    size_t count = 0;
    while ((mine || other) && count < STEADY_ADDRESSES_MAX) {
        if (mine) {
            memcpy(&addresses[count].socket, mine->ai_addr, mine->ai_addrlen);
            set_port(&addresses[count], port);
            set_text(&addresses[count++]);
            mine = next_of(mine->ai_next, mine->ai_family);
        }
        const struct addrinfo *swap = mine;
        mine = other;
        other = swap;
    }
    return count;
}
