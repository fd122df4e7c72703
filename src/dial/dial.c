#include "dial/dial.h"

#include "dial/reach.h"
#include "dial/tunnel.h"

#include <stdlib.h>
#include <string.h>

/* The phases of a dial. A phase ends with the next one, with FAILED, or with the call to the owner.
 * The owner ends a phase that lasts too long by steady_dial_time_out. */
enum phase {
    REACHING,       /* names are looked up, and the TCP connection is made */
    SECURING_PROXY, /* the TLS handshake with the proxy is under way */
    TUNNELLING,     /* the proxy was asked to connect to the server */
    SECURING,       /* the TLS handshake with the server is under way */
    FAILED,         /* the call `failed` to the owner follows in the next turn */
};

struct steady_dial {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    const struct steady_dial_owner *calls;
    void *owner;
    struct steady_target target;
    enum phase phase;
    struct steady_reach reach;
    struct steady_stream *stream; /* NULL until there is a TCP connection */
    struct steady_tunnel tunnel;
    struct steady_buffer unsent; /* bytes that have to be sent to the proxy */
    struct steady_cause cause;
};

/* ------------------------------------------------------------------------- how it ends */

static void free_dial(struct steady_dial *d)
{
    steady_ready_remove(&d->ready);
    steady_reach_drop(&d->reach);
    steady_stream_free(d->stream);
    steady_tunnel_free(&d->tunnel);
    steady_buffer_free(&d->unsent);
    steady_cause_free(&d->cause);
    free(d);
}

/* Lets the call `failed` follow in the next turn. The caller must have noted the cause. */
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
    d->calls->connected(d->owner, stream, &d->reach.address);
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

/* Sends what is left for the proxy. When the write fails, the dial goes on, because the proxy may
 * have answered before. */
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
    d->phase = TUNNELLING;
    if (steady_tunnel_start(&d->tunnel, steady_target_server(&d->target), d->target.proxy,
                            steady_reach_server(&d->reach), d->target.trace, &d->unsent))
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

/* Connects to the proxy once more, for the server's next address, because each request to a proxy
 * needs a connection of its own. */
static void try_next_server(struct steady_dial *d)
{
    steady_stream_free(d->stream);
    d->stream = NULL;
    steady_buffer_free(&d->unsent);
    steady_tunnel_free(&d->tunnel);
    STEADY_DEBUG(d->target.trace, "the proxy cannot reach that address, and gets the next one");
    d->phase = REACHING;
    steady_reach_try_next_server(&d->reach);
}

static void proxy_refused(struct steady_dial *d)
{
    if (steady_reach_has_next_server(&d->reach) && steady_tunnel_may_try_another(&d->tunnel))
        try_next_server(d);
    else
        blame_proxy(d);
}

static void tunnel_is_there(struct steady_dial *d, const uint8_t *behind, size_t size)
{
    if (steady_stream_put_back(d->stream, behind, size)) {
        steady_tunnel_free(&d->tunnel);
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

/* Notes that the TLS handshake with the proxy has failed. The text from TLS calls the peer "the
 * server", but this peer is the proxy. */
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

static void connected(void *owner, int socket, struct steady_watch *watch)
{
    static const struct steady_stream_owner calls = {received, writable, secured, ended};
    struct steady_dial *d = owner;
    d->stream = steady_stream_new(d->loop, socket, watch, &calls, d);
    if (!d->stream)
        run_out_of_memory(d);
    else if (d->target.proxy)
        reached_proxy(d);
    else
        reached_server(d);
}

static void not_connected(void *owner)
{
    fail(owner);
}

/* ------------------------------------------------------------------------- for the owner */

struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner)
{
    static const struct steady_reach_owner reach_calls = {connected, not_connected};
    struct steady_dial *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->ready.run = report;
    d->loop = loop;
    d->calls = calls;
    d->owner = owner;
    d->target = *target;
    steady_reach_start(&d->reach, loop, &d->target, &d->cause, &reach_calls, d);
    return d;
}

void steady_dial_time_out(struct steady_dial *d, double seconds)
{
    const struct steady_url *proxy = d->target.proxy;
    if (steady_tunnel_has_answered(&d->tunnel))
        blame_proxy(d); /* the head of the answer has arrived, but its body was too slow */
    else if (steady_reach_is_resolving(&d->reach))
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
