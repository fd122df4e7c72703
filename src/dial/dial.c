#include "dial/dial.h"

#include "core/response.h"
#include "core/trace_http.h"
#include "dial/race.h"
#include "dial/tunnel.h"

#include <stdlib.h>
#include <string.h>

/* Each ends with the next one, with FAILED, or with the call to the owner. What ends one that lasts
 * too long is steady_dial_time_out. */
enum phase {
    RESOLVING,  /* the host's name, or the proxy's */
    CONNECTING, /* to one of its addresses */
    TUNNELLING, /* the proxy was asked to connect to the server */
    SECURING,   /* the TLS handshake with the server is under way */
    FAILED,     /* the owner hears of it in the next turn */
};

struct steady_dial {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    const struct steady_dial_owner *calls;
    void *owner;
    struct steady_target target;
    enum phase phase;
    struct steady_dns *dns;   /* while it is RESOLVING */
    struct steady_race *race; /* while it is CONNECTING */
    struct steady_address address;
    struct steady_stream *stream;  /* from TUNNELLING or SECURING on */
    struct steady_response answer; /* the proxy's */
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
    steady_response_free(&d->answer);
    steady_cause_free(&d->cause);
    free(d);
}

/* The cause has been noted. */
static void fail(struct steady_dial *d)
{
    d->phase = FAILED;
    steady_ready_add(d->loop, &d->ready);
}

static bool proxy_has_answered(const struct steady_dial *d)
{
    return d->answer.part == STEADY_RESPONSE_BODY || d->answer.part == STEADY_RESPONSE_COMPLETE;
}

static void report(struct steady_ready *ready)
{
    struct steady_dial *d = (struct steady_dial *)ready; /* its first member */
    bool answered = proxy_has_answered(d);
    struct steady_failure failure = {
        .error = d->cause.error,
        .message = steady_cause_text(&d->cause),
        .http_status = answered ? d->answer.status : 0,
        .headers = answered ? &d->answer.headers : NULL,
        .body = d->answer.body.data,
        .body_size = d->answer.body.size,
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

static void secure(struct steady_dial *d)
{
    const struct steady_target *target = &d->target;
    d->phase = SECURING;
    STEADY_DEBUG(target->trace, "TLS handshake, for the name %s", target->server_name);
    if (!steady_stream_secure(d->stream, steady_tls_context_openssl(target->tls),
                              target->server_name, target->url->port, target->verify))
        run_out_of_memory(d);
}

static void reached_server(struct steady_dial *d)
{
    if (d->target.tls)
        secure(d);
    else
        succeed(d);
}

/* ------------------------------------------------------------------------- the proxy */

static void ask_proxy(struct steady_dial *d)
{
    struct steady_buffer request = {0};
    d->phase = TUNNELLING;
    d->answer.tunnel = true;
    if (steady_tunnel_request(&request, place_of_server(d), d->target.proxy)) {
        steady_trace_request(d->target.trace, &request);
        memcpy(steady_stream_room(d->stream), request.data, request.size);
        /* A write that fails is not the end yet: the proxy may have answered before. */
        steady_stream_write(d->stream, request.size);
    } else {
        run_out_of_memory(d);
    }
    steady_buffer_free(&request);
}

static void proxy_refused(struct steady_dial *d)
{
    char text[512];
    steady_tunnel_explain(&d->answer, text, sizeof text);
    steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s refused to connect to %s: it %s",
                      d->target.proxy->text, place_of_server(d)->authority, text);
    fail(d);
}

static void proxy_answered(struct steady_dial *d, const uint8_t *behind, size_t size)
{
    if (d->answer.status / 100 != 2) {
        proxy_refused(d);
    } else if (steady_stream_put_back(d->stream, behind, size)) {
        steady_response_free(&d->answer);
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
    bool in_head = d->answer.part == STEADY_RESPONSE_HEAD;
    size_t used = steady_response_input(&d->answer, bytes, size);
    if (in_head && d->answer.part != STEADY_RESPONSE_HEAD)
        steady_trace_response(d->target.trace, &d->answer);
    if (d->answer.part == STEADY_RESPONSE_COMPLETE) {
        proxy_answered(d, bytes + used, size - used);
    } else if (d->answer.part == STEADY_RESPONSE_BAD) {
        steady_cause_note(&d->cause, STEADY_PROXY, "the answer of the proxy %s %s",
                          d->target.proxy->text,
                          d->answer.problem ? d->answer.problem : "takes too much memory");
        fail(d);
    }
}

static void writable(void *owner)
{
    (void)owner; /* the request to the proxy is all there is to write */
}

static void secured(void *owner)
{
    struct steady_dial *d = owner;
    if (steady_traces(d->target.trace, STEADY_LEVEL_DEBUG)) {
        char text[1024];
        steady_stream_describe(d->stream, text, sizeof text);
        steady_trace_line(d->target.trace, STEADY_LEVEL_DEBUG, "%s", text);
    }
    succeed(d);
}

static void ended(void *owner)
{
    struct steady_dial *d = owner;
    if (d->phase == SECURING)
        steady_stream_explain(d->stream, &d->cause);
    else if (proxy_has_answered(d))
        proxy_refused(d);
    else if (d->phase == TUNNELLING)
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s ended the connection",
                          d->target.proxy->text);
    fail(d);
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
        ask_proxy(d);
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

static void not_connected(void *owner, int status)
{
    struct steady_dial *d = owner;
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
                          d->target.proxy->text, uv_strerror(status));
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
        steady_cause_note(&d->cause, STEADY_UNREACHABLE, "cannot be reached: %s",
                          uv_strerror(status));
    fail(d);
}

static void race(struct steady_dial *d, const struct steady_address *addresses, size_t count)
{
    static const struct steady_race_owner calls = {connected, not_connected};
    const char *local = d->target.local_address;
    struct steady_address from;
    bool bound = local && steady_dns_literal(local, 0, &from);
    d->phase = CONNECTING;
    d->race = steady_race_start(d->loop, addresses, count, bound ? &from : NULL, d->target.trace,
                                &calls, d);
    if (!d->race)
        run_out_of_memory(d);
}

/* ------------------------------------------------------------------------- the name */

static void trace_addresses(struct steady_dial *d, const struct steady_address *addresses,
                            size_t count)
{
    struct steady_buffer list = {0};
    if (!steady_traces(d->target.trace, STEADY_LEVEL_DEBUG))
        return;
    for (size_t i = 0; i < count; i++)
        steady_buffer_printf(&list, "%s%s", i ? ", " : "", addresses[i].text);
    steady_trace_line(d->target.trace, STEADY_LEVEL_DEBUG, "%s has %s %s", to_reach(d)->host,
                      count == 1 ? "the address" : "the addresses",
                      list.data ? (const char *)list.data : "");
    steady_buffer_free(&list);
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_dial *d = owner;
    d->dns = NULL;
    if (count) {
        trace_addresses(d, addresses, count);
        race(d, addresses, count);
        return;
    }
    STEADY_DEBUG(d->target.trace, "%s has no address: %s", to_reach(d)->host, problem);
    if (d->target.proxy)
        steady_cause_note(&d->cause, STEADY_PROXY,
                          "the proxy %s cannot be reached: cannot resolve \"%s\": %s",
                          d->target.proxy->text, d->target.proxy->host, problem);
    else
        steady_cause_note(&d->cause, STEADY_DNS, "cannot resolve \"%s\": %s",
                          place_of_server(d)->host, problem);
    fail(d);
}

static void resolve(struct steady_dial *d)
{
    const struct steady_url *url = to_reach(d);
    struct steady_address address;
    if (url->socket)
        steady_dns_socket(url->socket, &address);
    if (url->socket || steady_dns_literal(url->host, url->port, &address)) {
        race(d, &address, 1);
        return;
    }
    STEADY_DEBUG(d->target.trace, "looking up %s", url->host);
    if (!(d->dns = steady_dns_resolve(d->loop, url->host, url->port, resolved, d)))
        run_out_of_memory(d);
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
    resolve(d);
    return d;
}

void steady_dial_time_out(struct steady_dial *d, double seconds)
{
    const struct steady_url *proxy = d->target.proxy;
    if (d->phase == RESOLVING)
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "the name is not resolved within %g s",
                          seconds);
    else if (proxy_has_answered(d))
        proxy_refused(d); /* what it says of the reason has not come in time */
    else if (d->phase == SECURING)
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "no TLS handshake within %g s", seconds);
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
