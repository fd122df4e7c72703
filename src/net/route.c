#include "net/route.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLDS 0.1 /* seconds */

static bool known(const struct steady_loop *loop, const struct steady_address *address, double now)
{
    return now - loop->route.found < HOLDS && !strcmp(loop->route.to, address->text);
}

static void remember(struct steady_loop *loop, const struct steady_address *address, double now)
{
    loop->route.found = now;
    memcpy(loop->route.to, address->text, sizeof loop->route.to);
}

/* Connecting a datagram socket looks the way up. */
static int look_up(const struct steady_address *address)
{
    const struct sockaddr *to = &address->socket.any;
    socklen_t size =
        to->sa_family == AF_INET6 ? sizeof address->socket.v6 : sizeof address->socket.v4;
    int fd = socket(to->sa_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return 0;
    int error = connect(fd, to, size) ? errno : 0;
    close(fd);
    switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EACCES: /* a broadcast address */
        return error;
    default:
        return 0;
    }
}

int steady_route_error(struct steady_loop *loop, const struct steady_address *address)
{
    double now = steady_loop_time(loop);
    if (known(loop, address, now))
        return 0;
    int error = look_up(address);
    if (!error)
        remember(loop, address, now);
    return error;
}
