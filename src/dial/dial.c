#include "dial/dial.h"

#include "dial/race.h"
#include "dial/tunnel.h"

#include <stdlib.h>
#include <string.h>

/* Each ends with the next one, with FAILED, or with the call to the owner. What ends one that lasts
 * too long is steady_dial_time_out. */
enum phase {
    RESOLVING_SERVER, /* its name, for a proxy that is to be given an address */
    RESOLVING,        /* the name of the host to reach: the proxy's, if there is one */
    CONNECTING,       /* to one of its addresses */
    SECURING_PROXY,   /* the TLS handshake with the proxy is under way */
    TUNNELLING,       /* the proxy was asked to connect to the server */
    SECURING,         /* the TLS handshake with the server is under way */
    FAILED,           /* the owner hears of it in the next turn */
};

/* The server's addresses, for a proxy that is to be given one: it gets the next one where the one
 * before was of no use. */
struct servers {
    struct steady_address list[STEADY_ADDRESSES_MAX];
    size_t count, at;
};

struct steady_dial {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    const struct steady_dial_owner *calls;
    void *owner;
    struct steady_target target;
    enum phase phase;
    struct servers *servers;  /* NULL: no such proxy */
    struct steady_dns *dns;   /* while it is RESOLVING_SERVER or RESOLVING */
    struct steady_race *race; /* while it is CONNECTING */
    struct steady_address address;
    struct steady_stream *stream; /* behind CONNECTING */
    struct steady_tunnel tunnel;
    struct steady_buffer unsent; /* to the proxy */
    struct steady_cause cause;
};

/* Where the server is. */
static const struct steady_url *place_of_server(const struct steady_dial *d)
{
    return d->target.connect_to ? d->target.connect_to : d->target.url;
}

/* What is connected to. */
static const struct steady_url *to_reach(const struct steady_dial *d)
{
    return d->target.proxy ? d->target.proxy : place_of_server(d);
}

/* ------------------------------------------------------------------------- how it ends */

static void free_dial(struct steady_dial *d)
{
    steady_ready_remove(&d->ready);
    steady_dns_cancel(d->dns);
    steady_race_drop(d->race);
    steady_stream_free(d->stream);
    steady_tunnel_free(&d->tunnel);
    steady_buffer_free(&d->unsent);
    steady_cause_free(&d->cause);
    free(d->servers);
    free(d);
}

/* The cause has been noted. */
static void fail(struct steady_dial *d)
{
    d->phase = FAILED;
    steady_ready_add(d->loop, &d->ready);
}

static void report(struct steady_ready *ready)
{
    struct steady_dial *d = (struct steady_dial *)ready; /* its first member */
    const struct steady_response *answer = &d->tunnel.answer;
    bool answered = steady_tunnel_has_answered(&d->tunnel);
    struct steady_failure failure = {
        .error = d->cause.error,
        .message = steady_cause_text(&d->cause),
        .http_status = answered ? answer->status : 0,
        .headers = answered ? &answer->headers : NULL,
        .body = answer->body.data,
        .body_size = answer->body.size,
    };
    d->calls->failed(d->owner, &failure);
    free_dial(d);
}

static void succeed(struct steady_dial *d)
{
    struct steady_stream *stream = d->stream;
    d->stream = NULL;
    d->calls->connected(d->owner, stream, &d->address);
    free_dial(d);
}

static void run_out_of_memory(struct steady_dial *d)
{
    steady_cause_note(&d->cause, STEADY_NETWORK, "out of memory");
    fail(d);
}

/* ------------------------------------------------------------------------- TLS */

static void secure(struct steady_dial *d, enum phase phase,
                   const struct steady_tls_context *context, const char *name, uint16_t port)
{
    d->phase = phase;
    STEADY_DEBUG(d->target.trace, "TLS handshake, for the name %s", name);
    if (!steady_stream_secure(d->stream, steady_tls_context_openssl(context), name, port,
                              d->target.verify))
        run_out_of_memory(d);
}

static void reached_server(struct steady_dial *d)
{
    if (d->target.tls)
        secure(d, SECURING, d->target.tls, d->target.server_name, d->target.url->port);
    else
        succeed(d);
}

/* ------------------------------------------------------------------------- the proxy */

static void race(struct steady_dial *d, const struct steady_address *addresses, size_t count);

static void forget_tunnel(struct steady_dial *d)
{
    steady_tunnel_free(&d->tunnel);
    d->tunnel = (struct steady_tunnel){0};
}

/* A write that fails is not the end yet: the proxy may have answered before. */
static void send_unsent(struct steady_dial *d)
{
    if (!d->unsent.size || !steady_stream_can_write(d->stream))
        return;
    memcpy(steady_stream_room(d->stream), d->unsent.data, d->unsent.size);
    steady_stream_write(d->stream, d->unsent.size);
    steady_buffer_free(&d->unsent);
}

static void ask_proxy(struct steady_dial *d)
{
    const struct servers *servers = d->servers;
    d->phase = TUNNELLING;
    if (steady_tunnel_start(&d->tunnel, place_of_server(d), d->target.proxy,
                            servers ? &servers->list[servers->at] : NULL, d->target.trace,
                            &d->unsent))
        send_unsent(d);
    else
        run_out_of_memory(d);
}

static void reached_proxy(struct steady_dial *d)
{
    if (d->target.proxy_tls)
        secure(d, SECURING_PROXY, d->target.proxy_tls, d->target.proxy->host,
               d->target.proxy->port);
    else
        ask_proxy(d);
}

static void blame_proxy(struct steady_dial *d)
{
    char text[768];
    steady_tunnel_explain(&d->tunnel, text, sizeof text);
    steady_cause_note(&d->cause, STEADY_PROXY, "%s", text);
    fail(d);
}

/* A connection to a proxy is good for one request. */
static void try_next_server(struct steady_dial *d)
{
    steady_stream_free(d->stream);
    d->stream = NULL;
    steady_buffer_free(&d->unsent);
    forget_tunnel(d);
    d->servers->at++;
    STEADY_DEBUG(d->target.trace, "the proxy cannot reach that address, and gets the next one");
    struct steady_address proxy = d->address;
    race(d, &proxy, 1);
}

static void proxy_refused(struct steady_dial *d)
{
    if (d->servers && d->servers->at + 1 < d->servers->count &&
        steady_tunnel_may_try_another(&d->tunnel))
        try_next_server(d);
    else
        blame_proxy(d);
}

static void tunnel_is_there(struct steady_dial *d, const uint8_t *behind, size_t size)
{
    if (steady_stream_put_back(d->stream, behind, size)) {
        forget_tunnel(d);
        reached_server(d);
    } else {
        run_out_of_memory(d);
    }
}

/* ------------------------------------------------------------------------- the stream */

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_dial *d = owner;
    if (d->phase != TUNNELLING)
        return;
    size_t used = steady_tunnel_input(&d->tunnel, bytes, size, &d->unsent);
    if (d->tunnel.state == STEADY_TUNNEL_OPEN)
        tunnel_is_there(d, bytes + used, size - used);
    else if (d->tunnel.state == STEADY_TUNNEL_FAILED)
        proxy_refused(d);
    else if (d->tunnel.state == STEADY_TUNNEL_OUT_OF_MEMORY)
        run_out_of_memory(d);
    else
        send_unsent(d);
}

static void writable(void *owner)
{
    send_unsent(owner);
}

static void secured(void *owner)
{
    struct steady_dial *d = owner;
    if (steady_traces(d->target.trace, STEADY_LEVEL_DEBUG)) {
        char text[1024];
        steady_stream_describe(d->stream, text, sizeof text);
        steady_trace_line(d->target.trace, STEADY_LEVEL_DEBUG, "%s", text);
    }
    if (d->phase == SECURING_PROXY)
        ask_proxy(d);
    else
        succeed(d);
}

/* TLS speaks of a server, which the proxy is here. */
static void proxy_is_not_secure(struct steady_dial *d)
{
    struct steady_cause why = {0};
    steady_stream_explain(d->stream, &why);
    steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s cannot be used: %s",
                      d->target.proxy->text, steady_cause_text(&why));
    steady_cause_free(&why);
    fail(d);
}

static void ended(void *owner)
{
    struct steady_dial *d = owner;
    if (d->phase == SECURING_PROXY) {
        proxy_is_not_secure(d);
    } else if (d->phase == TUNNELLING) {
        blame_proxy(d);
    } else {
        steady_stream_explain(d->stream, &d->cause);
        fail(d);
    }
}

/* ------------------------------------------------------------------------- TCP */

static void connected(void *owner, int socket, struct steady_watch *watch,
                      const struct steady_address *address)
{
    static const struct steady_stream_owner calls = {received, writable, secured, ended};
    struct steady_dial *d = owner;
    d->race = NULL;
    d->address = *address;
    d->stream = steady_stream_new(d->loop, socket, watch, &calls, d);
    if (!d->stream)
        run_out_of_memory(d);
    else if (d->target.proxy)
        reached_proxy(d);
    else
        reached_server(d);
}

/* The peer was there, and ended the connection before we had seen that. */
static void hung_up(struct steady_dial *d)
{
    if (d->target.proxy)
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s ended the connection",
                          d->target.proxy->text);
    else if (d->target.tls)
        steady_cause_note(&d->cause, STEADY_TLS,
                          "the TLS handshake failed: the server ended the connection");
    else
        steady_cause_note(&d->cause, STEADY_HANDSHAKE, STEADY_HUNG_UP);
}

/* The server listens on a socket of this machine. */
static void no_socket(struct steady_dial *d, int status)
{
    const char *path = d->target.url->socket;
    if (status == UV_ENOENT)
        steady_cause_note(&d->cause, STEADY_UNREACHABLE,
                          "there is no socket %s: the server does not run, or has another path",
                          path);
    else if (status == UV_ECONNREFUSED)
        steady_cause_note(&d->cause, STEADY_REFUSED,
                          "connection refused: nothing listens on the socket %s", path);
    else
        steady_cause_note(&d->cause, STEADY_UNREACHABLE, "the socket %s cannot be reached: %s",
                          path, uv_strerror(status));
}

/* Whether the local address was the reason. */
static bool no_local_address(struct steady_dial *d, int status)
{
    const char *local = d->target.local_address;
    if (local && status == UV_EADDRNOTAVAIL)
        steady_cause_note(
            &d->cause, STEADY_NETWORK,
            "no connection from local_address %s: it is no address of this machine, or "
            "has no port left",
            local);
    else if (local && status == UV_EAFNOSUPPORT)
        steady_cause_note(&d->cause, STEADY_NETWORK,
                          "no connection from local_address %s to %s, which has no address of that "
                          "family",
                          local, to_reach(d)->host);
    return d->cause.error != STEADY_OK;
}

/* A link-local address (RFC 4291 section 2.5.6: fe80::/10) is on each of a machine's networks. */
static const char *why_unreachable(const struct steady_url *url, int status)
{
    if (status == UV_EINVAL && url->ipv6 && !url->zone && strspn(url->host, "fe89ab") >= 3)
        return "a link-local address needs its network interface, as in [fe80::1%eth0]";
    return uv_strerror(status);
}

static void not_connected(void *owner, int status)
{
    struct steady_dial *d = owner;
    const char *why = why_unreachable(to_reach(d), status);
    d->race = NULL;
    if (no_local_address(d, status)) {
        fail(d);
        return;
    }
    if (status == UV_ECONNRESET || status == UV_EPIPE)
        hung_up(d);
    else if (status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOMEM ||
             status == UV_ENOBUFS)
        steady_cause_note(&d->cause, STEADY_NETWORK, "no socket can be made: %s",
                          uv_strerror(status));
    else if (d->target.proxy)
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s cannot be reached: %s",
                          d->target.proxy->text, why);
    else if (d->target.url->socket)
        no_socket(d, status);
    else if (status == UV_ECONNREFUSED && d->target.connect_to)
        steady_cause_note(&d->cause, STEADY_REFUSED,
                          "connection refused: nothing listens on %s:%u, as connect_to has it",
                          d->target.connect_to->host, (unsigned)d->target.connect_to->port);
    else if (status == UV_ECONNREFUSED)
        steady_cause_note(&d->cause, STEADY_REFUSED,
                          "connection refused: nothing listens on that port");
    else
        steady_cause_note(&d->cause, STEADY_UNREACHABLE, "cannot be reached: %s", why);
    fail(d);
}

static void race(struct steady_dial *d, const struct steady_address *addresses, size_t count)
{
    static const struct steady_race_owner calls = {connected, not_connected};
    const char *local = d->target.local_address, *problem = NULL;
    struct steady_address from;
    bool bound = local && steady_address_literal(local, NULL, 0, &from, &problem);
    d->phase = CONNECTING;
    d->race = steady_race_start(d->loop, addresses, count, bound ? &from : NULL, d->target.trace,
                                &calls, d);
    if (!d->race)
        run_out_of_memory(d);
}

/* ------------------------------------------------------------------------- the name */

static void trace_addresses(const struct steady_dial *d, const struct steady_url *url,
                            const struct steady_address *addresses, size_t count)
{
    struct steady_buffer list = {0};
    if (!steady_traces(d->target.trace, STEADY_LEVEL_DEBUG))
        return;
    for (size_t i = 0; i < count; i++)
        steady_buffer_printf(&list, "%s%s", i ? ", " : "", addresses[i].text);
    steady_trace_line(d->target.trace, STEADY_LEVEL_DEBUG, "%s has %s %s", url->host,
                      count == 1 ? "the address" : "the addresses",
                      list.data ? (const char *)list.data : "");
    steady_buffer_free(&list);
}

/* Of a name that was looked up. */
static void trace_answer(const struct steady_dial *d, const struct steady_url *url,
                         const struct steady_address *addresses, size_t count, const char *problem)
{
    if (count)
        trace_addresses(d, url, addresses, count);
    else
        STEADY_DEBUG(d->target.trace, "%s has no address: %s", url->host, problem);
}

static void cannot_resolve_server(struct steady_dial *d, const char *problem)
{
    const struct steady_url *url = place_of_server(d);
    steady_cause_note(&d->cause, STEADY_DNS, "cannot resolve \"%s%s%s\": %s", url->host,
                      url->zone ? "%" : "", url->zone ? url->zone : "", problem);
    fail(d);
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_dial *d = owner;
    if (d->dns)
        trace_answer(d, to_reach(d), addresses, count, problem);
    d->dns = NULL;
    if (count) {
        race(d, addresses, count);
    } else if (d->target.proxy) {
        steady_cause_note(&d->cause, STEADY_PROXY,
                          "the proxy %s cannot be reached: cannot resolve \"%s\": %s",
                          d->target.proxy->text, d->target.proxy->host, problem);
        fail(d);
    } else {
        cannot_resolve_server(d, problem);
    }
}

static void look_up(struct steady_dial *d, enum phase phase, const struct steady_url *url,
                    steady_dns_done done)
{
    struct steady_address address;
    const char *problem = NULL;
    d->phase = phase;
    size_t count = 1;
    if (url->socket)
        steady_address_of_socket(url->socket, &address);
    else
        count = steady_address_literal(url->host, url->zone, url->port, &address, &problem);
    if (count || problem) {
        done(d, &address, count, problem);
        return;
    }
    STEADY_DEBUG(d->target.trace, "looking up %s", url->host);
    if (!(d->dns = steady_dns_resolve(d->loop, url->host, url->port, done, d)))
        run_out_of_memory(d);
}

static void resolve(struct steady_dial *d)
{
    look_up(d, RESOLVING, to_reach(d), resolved);
}

static void server_resolved(void *owner, const struct steady_address *addresses, size_t count,
                            const char *problem)
{
    struct steady_dial *d = owner;
    if (d->dns)
        trace_answer(d, place_of_server(d), addresses, count, problem);
    d->dns = NULL;
    if (!count) {
        cannot_resolve_server(d, problem);
    } else if ((d->servers = calloc(1, sizeof *d->servers))) {
        memcpy(d->servers->list, addresses, count * sizeof *addresses);
        d->servers->count = count;
        resolve(d);
    } else {
        run_out_of_memory(d);
    }
}

/* An address for a proxy that does not resolve names. */
static void resolve_server(struct steady_dial *d)
{
    look_up(d, RESOLVING_SERVER, place_of_server(d), server_resolved);
}

/* ------------------------------------------------------------------------- for the owner */

struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner)
{
    struct steady_dial *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->ready.run = report;
    d->loop = loop;
    d->calls = calls;
    d->owner = owner;
    d->target = *target;
    if (target->proxy && target->proxy->scheme == STEADY_SCHEME_SOCKS5)
        resolve_server(d);
    else
        resolve(d);
    return d;
}

void steady_dial_time_out(struct steady_dial *d, double seconds)
{
    const struct steady_url *proxy = d->target.proxy;
    if (steady_tunnel_has_answered(&d->tunnel))
        blame_proxy(d); /* what it says of the reason has not come in time */
    else if (d->phase == RESOLVING || d->phase == RESOLVING_SERVER)
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "the name is not resolved within %g s",
                          seconds);
    else if (d->phase == SECURING)
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "no TLS handshake within %g s", seconds);
    else if (d->phase == SECURING_PROXY)
        steady_cause_note(&d->cause, STEADY_TIMEOUT,
                          "no TLS handshake with the proxy %s within %g s", proxy->text, seconds);
    else if (proxy)
        steady_cause_note(&d->cause, STEADY_TIMEOUT,
                          "no connection through the proxy %s within %g s", proxy->text, seconds);
    else
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "no connection within %g s", seconds);
    report(&d->ready);
}

void steady_dial_drop(struct steady_dial *d)
{
    if (d)
        free_dial(d);
}
