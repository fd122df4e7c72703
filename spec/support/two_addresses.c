/* For LD_PRELOAD: the name two.example has the addresses ::1 and 127.0.0.1, in this order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    look_up *real = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (!node || strcmp(node, "two.example") != 0)
        return real(node, service, hints, list);
    int error = real("::1", service, hints, list);
    return error ? error : real("127.0.0.1", service, hints, &(*list)->ai_next);
}
