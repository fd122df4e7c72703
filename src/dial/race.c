#include "dial/race.h"

#include "loop/descriptor.h"
#include "loop/timer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEXT_ADDRESS 0.25 /* seconds; the "Connection Attempt Delay" of RFC 8305 section 5 */

/* An address to which a connection is being made. */
struct entrant {
    struct steady_race *race;
    const struct steady_address *address;
    struct steady_watch *watch; /* NULL before the connection was begun, and after it has failed */
    int socket;
};

struct steady_race {
    struct steady_ready ready; /* the first member; used when all addresses have failed */
    struct steady_loop *loop;
    struct steady_trace *trace;
    const struct steady_race_owner *calls;
    void *owner;
    struct steady_timer *timer; /* runs until the next address starts */
    struct steady_address *addresses;
    struct steady_address from; /* zeroed for any address */
    size_t count, started, running;
    int status; /* libuv's error, or 0 when no address has failed */
    struct entrant entrants[];
};

static void start_next(struct steady_race *race);

/* An address as the log shows it, such as "127.0.0.1 port 80" or the path of a socket. */
struct place {
    char text[128];
};

static struct place place_of(const struct steady_address *address)
{
    struct place place;
    int family = address->socket.any.sa_family;
    unsigned port =
        ntohs(family == AF_INET6 ? address->socket.v6.sin6_port : address->socket.v4.sin_port);
    if (family == AF_UNIX)
        snprintf(place.text, sizeof place.text, "%s", address->text);
    else
        snprintf(place.text, sizeof place.text, "%s port %u", address->text, port);
    return place;
}

/* ------------------------------------------------------------------------- how each ends */

/* Keeps the most informative error. A refusal is the most informative one, since it shows that the
 * server was reached. UV_EAFNOSUPPORT is the least informative one, since the address was not even
 * tried. */
static void note(struct steady_race *race, int status)
{
    if (race->status == 0 || race->status == UV_EAFNOSUPPORT || status == UV_ECONNREFUSED)
        race->status = status;
}

/* Starts the next address. When there is none, and no other connection is being made, the race has
 * ended. */
static void go_on(struct steady_race *race)
{
    if (race->started < race->count)
        start_next(race);
    else if (race->running == 0)
        steady_ready_add(race->loop, &race->ready);
}

static void leave(struct entrant *entrant)
{
    steady_watch_stop(entrant->watch);
    entrant->watch = NULL;
    entrant->race->running--;
}

static int error_of(int socket)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

static void lost(struct entrant *entrant, int error)
{
    struct steady_race *race = entrant->race;
    int status = uv_translate_sys_error(error);
    STEADY_DEBUG(race->trace, "%s failed: %s", entrant->address->text, uv_strerror(status));
    note(race, status);
    leave(entrant);
    go_on(race);
}

static void free_race(struct steady_race *race)
{
    steady_ready_remove(&race->ready);
    steady_timer_free(race->timer);
    free(race->addresses);
    free(race);
}

static void won(struct entrant *winner)
{
    struct steady_race *race = winner->race;
    struct steady_watch *watch = winner->watch;
    struct steady_address address = *winner->address;
    const struct steady_race_owner *calls = race->calls;
    int socket = winner->socket, on = 1;
    void *owner = race->owner;
    STEADY_DEBUG(race->trace, "connected to %s", place_of(&address).text);
    winner->watch = NULL;
    steady_race_drop(race);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    calls->connected(owner, socket, watch, &address);
}

/* ------------------------------------------------------------------------- events */

static void readable(void *owner)
{
    (void)owner; /* a new connection is reported as writable first */
}

static void writable(void *owner)
{
    struct entrant *entrant = owner;
    int error = error_of(entrant->socket);
    if (error)
        lost(entrant, error);
    else
        won(entrant);
}

/* This may be called while the loop is halted. The call to the owner follows in a later turn. */
static void broken(void *owner)
{
    struct entrant *entrant = owner;
    int error = error_of(entrant->socket);
    lost(entrant, error ? error : ECONNRESET);
}

/* Binds the socket to the local address. The port is left to connect, because connections to
 * different servers can then have the same local port. If bind chose the port, no port would be
 * left after 28,000 connections. Returns false with errno set when that fails. */
static bool bind_to(int socket, const struct steady_address *from)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
    int on = 1;
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
    return !bind(socket, &from->socket.any, steady_address_size(from));
}

/* Begins to connect to an address. Returns 0, or libuv's error. */
static int start(struct entrant *entrant)
{
    static const struct steady_watch_owner calls = {readable, writable, broken};
    const struct sockaddr *to = &entrant->address->socket.any;
    const struct steady_address *from = &entrant->race->from;
    bool bound = from->socket.any.sa_family && to->sa_family != AF_UNIX;
    int error;
    if (bound && from->socket.any.sa_family != to->sa_family)
        return UV_EAFNOSUPPORT;
    entrant->socket = steady_descriptor_socket(to->sa_family, SOCK_STREAM);
    if (entrant->socket < 0)
        return uv_translate_sys_error(errno);
    if ((bound && !bind_to(entrant->socket, from)) ||
        (connect(entrant->socket, to, steady_address_size(entrant->address)) &&
         errno != EINPROGRESS && errno != EINTR))
        error = uv_translate_sys_error(errno);
    else
        entrant->watch =
            steady_watch_start(entrant->race->loop, entrant->socket, &calls, entrant, &error);
    if (!entrant->watch) {
        close(entrant->socket);
        return error;
    }
    return 0;
}

static void start_next(struct steady_race *race)
{
    while (race->started < race->count) {
        struct entrant *entrant = &race->entrants[race->started];
        entrant->race = race;
        entrant->address = &race->addresses[race->started++];
        STEADY_DEBUG(race->trace, "trying %s", place_of(entrant->address).text);
        int status = start(entrant);
        if (!status) {
            race->running++;
            if (race->started < race->count)
                steady_timer_start(race->timer, NEXT_ADDRESS);
            return;
        }
        STEADY_DEBUG(race->trace, "%s failed: %s", entrant->address->text, uv_strerror(status));
        note(race, status);
    }
    go_on(race);
}

static void timer_due(void *owner)
{
    start_next(owner);
}

static void all_failed(struct steady_ready *ready)
{
    struct steady_race *race = (struct steady_race *)ready; /* its first member */
    const struct steady_race_owner *calls = race->calls;
    void *owner = race->owner;
    int status = race->status;
    free_race(race);
    calls->failed(owner, status);
}

/* ------------------------------------------------------------------------- for the owner */

struct steady_race *steady_race_start(struct steady_loop *loop,
                                      const struct steady_address *addresses, size_t count,
                                      const struct steady_address *from, struct steady_trace *trace,
                                      const struct steady_race_owner *calls, void *owner)
{
    struct steady_race *race = calloc(1, sizeof *race + count * sizeof *race->entrants);
    if (!race)
        return NULL;
    race->ready.run = all_failed;
    race->loop = loop;
    race->trace = trace;
    race->calls = calls;
    race->owner = owner;
    race->count = count;
    if (from)
        race->from = *from;
    race->addresses = malloc(count * sizeof *addresses);
    race->timer = steady_timer_new(loop, timer_due, race);
    if (!race->addresses || !race->timer) {
        free_race(race);
        return NULL;
    }
    memcpy(race->addresses, addresses, count * sizeof *addresses);
    start_next(race);
    return race;
}

void steady_race_drop(struct steady_race *race)
{
    if (!race)
        return;
    for (size_t i = 0; i < race->started; i++)
        if (race->entrants[i].watch)
            leave(&race->entrants[i]);
    free_race(race);
}
