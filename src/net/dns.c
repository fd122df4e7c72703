#include "net/dns.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct steady_dns {
    uv_getaddrinfo_t request;
    steady_dns_done done;
    void *owner; /* NULL: cancelled */
};

static void set_text(struct steady_address *address)
{
    if (address->socket.any.sa_family == AF_INET6)
        uv_ip6_name(&address->socket.v6, address->text, sizeof address->text);
    else
        uv_ip4_name(&address->socket.v4, address->text, sizeof address->text);
}

size_t steady_dns_literal(const char *host, uint16_t port, struct steady_address *address)
{
    if (uv_ip4_addr(host, port, &address->socket.v4) &&
        uv_ip6_addr(host, port, &address->socket.v6))
        return 0;
    set_text(address);
    return 1;
}

/* The next one of a family in the resolver's order, which is the order of preference (RFC 6724). */
static const struct addrinfo *next_of(const struct addrinfo *list, int family)
{
    while (list && list->ai_family != family)
        list = list->ai_next;
    return list;
}

static size_t sort(const struct addrinfo *list, struct steady_address *addresses)
{
    int family = list && list->ai_family == AF_INET ? AF_INET : AF_INET6;
    const struct addrinfo *mine = next_of(list, family), *other;
    other = next_of(list, family == AF_INET ? AF_INET6 : AF_INET);
    size_t count = 0;
    while ((mine || other) && count < STEADY_DNS_MAX) {
        if (mine) {
            memcpy(&addresses[count].socket, mine->ai_addr, mine->ai_addrlen);
            set_text(&addresses[count++]);
            mine = next_of(mine->ai_next, mine->ai_family);
        }
        const struct addrinfo *swap = mine;
        mine = other;
        other = swap;
    }
    return count;
}

static const char *explain(int status)
{
    switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
        return "there is no such host";
    case UV_EAI_AGAIN:
        return "no name server answered";
    default:
        return status ? uv_strerror(status) : "it has no address";
    }
}

static void answered(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct steady_dns *dns = request->data;
    struct steady_address addresses[STEADY_DNS_MAX];
    size_t count = status ? 0 : sort(list, addresses);
    if (dns->owner)
        dns->done(dns->owner, addresses, count, count ? NULL : explain(status));
    uv_freeaddrinfo(list);
    free(dns);
}

struct steady_dns *steady_dns_resolve(struct steady_loop *loop, const char *host, uint16_t port,
                                      steady_dns_done done, void *owner)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];
    struct steady_dns *dns = malloc(sizeof *dns);
    if (!dns)
        return NULL;
    *dns = (struct steady_dns){.done = done, .owner = owner};
    dns->request.data = dns;
    snprintf(service, sizeof service, "%u", port);
    if (uv_getaddrinfo(&loop->uv, &dns->request, answered, host, service, &hints)) {
        free(dns);
        return NULL;
    }
    return dns;
}

void steady_dns_cancel(struct steady_dns *dns)
{
    if (!dns)
        return;
    dns->owner = NULL;
    uv_cancel(
        (uv_req_t *)&dns->request); /* when it is under way already, its answer is thrown away */
}
