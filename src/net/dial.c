#include "net/dial.h"

#include "net/probe.h"
#include "net/route.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL_NAME "steadysocket" /* libwebsockets' name for our callback; not on the wire */

struct steady_dial {
    struct steady_ready ready;        /* the first member */
    struct steady_dial *next, **link; /* in the loop's list */
    struct steady_loop *loop;
    struct lws *wsi; /* NULL: the library is through with it */
    const struct steady_dial_owner *calls;
    void *owner; /* NULL: dropped */
    struct steady_target target;
    struct steady_address address;
    bool dead; /* the library has been told to end it */
    bool timed_out;
    struct steady_probe *probe;
    struct steady_cause cause;
    bool unreachable;
    int socket;         /* -1: not ours */
    struct ssl_st *tls; /* ours too, with the socket */
};

/* ------------------------------------------------------------------------- how it ends */

/* Whether a TCP connection came about, even if the peer has reset it since. */
static bool tcp_connected(struct lws *wsi)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int fd = lws_get_socket_fd(wsi);
    if (!getpeername(fd, (struct sockaddr *)&peer, &size))
        return true;
#ifdef TCP_INFO
    struct tcp_info info = {0};
    size = sizeof info;
    return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) && info.tcpi_rtt > 0;
#else
    return false;
#endif
}

/* The server, or the proxy, ended the connection, and did not say why. */
static void hung_up(struct steady_dial *d)
{
    if (d->target.proxy)
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s ended the connection",
                          d->target.proxy->text);
    else if (d->target.url->secure)
        steady_cause_note(&d->cause, STEADY_TLS,
                          "the TLS handshake failed: the server ended the connection");
    else
        steady_cause_note(&d->cause, STEADY_HANDSHAKE, STEADY_HUNG_UP);
}

/* The library's last word. Its own texts differ from version to version and are of help only where
 * nothing better is known. */
static void library_ended(struct steady_dial *d, struct lws *wsi, const char *text)
{
    if (!d->owner || d->socket >= 0) /* what the target points to may be gone */
        return;
    bool connected = tcp_connected(wsi);
    if (d->target.proxy && connected && !(text && strstr(text, "SSL")))
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s refused to connect to %s%s%s",
                          d->target.proxy->text, d->target.url->authority,
                          text && strstr(text, "->") ? ": it answered" : "",
                          text && strstr(text, "->") ? strstr(text, "->") + 2 : "");
    const char *reason = d->target.url->secure ? steady_tls_failure(lws_get_ssl(wsi)) : NULL;
    if (!connected)
        return; /* the probe finds out why */
    if (reason)
        steady_cause_note(&d->cause, STEADY_TLS, "the TLS handshake failed: %s", reason);
    else
        hung_up(d);
}

static void probed(void *owner, int status)
{
    struct steady_dial *d = owner;
    d->probe = NULL;
    if (status && d->target.proxy)
        steady_cause_note(&d->cause, STEADY_PROXY, "the proxy %s cannot be reached: %s",
                          d->target.proxy->text, uv_strerror(status));
    switch (status) {
    case 0:
    case UV_ECONNRESET: /* so it was there, and gone before libwebsockets had seen it */
        hung_up(d);
        break;
    case UV_ECONNREFUSED:
        steady_cause_note(&d->cause, STEADY_REFUSED,
                          "connection refused: nothing listens on that port");
        break;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
    case UV_ENOBUFS:
        steady_cause_note(&d->cause, STEADY_NETWORK, "no socket can be made: %s",
                          uv_strerror(status));
        break;
    default:
        steady_cause_note(&d->cause, STEADY_UNREACHABLE, "cannot be reached: %s",
                          uv_strerror(status));
    }
    d->unreachable = status && status != UV_ECONNRESET;
    steady_ready_add(d->loop, &d->ready);
}

/* ------------------------------------------------------------------------- the connection */

static void verified(struct steady_dial *d, void *verification, bool good)
{
    char message[768];
    if (good || !d->owner)
        return;
    if (!d->target.verify) {
        steady_tls_accept(verification);
        return;
    }
    steady_tls_explain(verification, d->target.server_name, message, sizeof message);
    steady_cause_note(&d->cause, STEADY_TLS, "%s", message);
}

/* Once more, on the finished TLS session and before anything is sent: that no version's way of
 * checking, or a resumed session, lets a wrong certificate pass. */
static bool check_certificate(struct steady_dial *d, struct lws *wsi)
{
    char message[768];
    if (!d->target.url->secure || !d->target.verify ||
        steady_tls_check(lws_get_ssl(wsi), d->target.server_name, message, sizeof message))
        return true;
    steady_cause_note(&d->cause, STEADY_TLS, "%s", message);
    return false;
}

/* That the library did connect to the proxy: where it does not understand what it was told of one,
 * it goes straight to the target. */
static bool check_proxy(struct steady_dial *d, struct lws *wsi)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    socklen_t size = sizeof peer;
    char text[64];
    static const char mapped[] = "::ffff:"; /* an IPv4 address on an IPv6 socket */
    if (!d->target.proxy)
        return true;
    if (getpeername(lws_get_socket_fd(wsi), &peer.any, &size) ||
        uv_ip_name(&peer.any, text, sizeof text)) {
        steady_cause_note(&d->cause, STEADY_NETWORK, "the connection broke before the upgrade");
        return false;
    }
    size_t skip = strncmp(text, mapped, sizeof mapped - 1) ? 0 : sizeof mapped - 1;
    if (ntohs(peer.v4.sin_port) == d->target.proxy->port && !strcmp(text + skip, d->address.text))
        return true;
    steady_cause_note(&d->cause, STEADY_PROXY, "libwebsockets %s did not take the proxy %s",
                      lws_get_library_version(), d->target.proxy->text);
    return false;
}

/* The connection is there, and the library about to send a request. The socket is ours from here
 * on: the library closes its own descriptor of it, and drops its reference to the TLS session,
 * which on the client's side sends nothing. */
static void take_socket(struct steady_dial *d, struct lws *wsi)
{
    if (!d->owner || !check_proxy(d, wsi) || !check_certificate(d, wsi))
        return;
    d->socket = fcntl(lws_get_socket_fd(wsi), F_DUPFD_CLOEXEC, 0);
    if (d->socket < 0) {
        steady_cause_note(&d->cause, STEADY_NETWORK, "no socket can be made: %s",
                          uv_strerror(uv_translate_sys_error(errno)));
        return;
    }
    d->tls = lws_get_ssl(wsi);
    if (d->tls)
        steady_tls_keep(d->tls);
}

/* It has closed its descriptor, whose number may be another file's by now: whatever becomes of the
 * session, its goodbye included, goes to our own from here on. */
static void library_left(struct steady_dial *d)
{
    d->wsi = NULL;
    if (d->tls && !steady_tls_take(d->tls, d->socket)) {
        steady_tls_abandon(d->tls);
        d->tls = NULL;
        steady_cause_note(&d->cause, STEADY_NETWORK, "out of memory");
    }
    steady_ready_add(d->loop, &d->ready);
}

/* ------------------------------------------------------------------------- the callback */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct steady_dial *d = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!d)
        return 0; /* about a vhost, not a connection */
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        verified(d, user, size != 0);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        take_socket(d, wsi);
        return -1; /* the library's part is over in any case */
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        library_ended(d, wsi, in);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        library_left(d);
        return 0;
    default:
        return 0;
    }
}

const struct lws_protocols *steady_dial_protocols(void)
{
    static const struct lws_protocols protocols[] = {
        {.name = PROTOCOL_NAME, .callback = callback},
        {0},
    };
    return protocols;
}

/* ------------------------------------------------------------------------- its life */

static void free_dial(struct steady_dial *d)
{
    struct steady_loop *loop = d->loop;
    *d->link = d->next;
    if (d->next)
        d->next->link = d->link;
    loop->alive--;
    steady_ready_remove(loop, &d->ready);
    steady_probe_cancel(d->probe);
    steady_vhost_release(d->target.vhost);
    if (loop->left) /* its socket has no handle yet by which to replace it */
        steady_tls_abandon(d->tls);
    else
        steady_tls_end(d->tls);
    if (d->socket >= 0)
        close(d->socket);
    steady_cause_free(&d->cause);
    free(d);
}

/* The one call to the owner. */
static void report(struct steady_dial *d)
{
    if (d->owner && d->cause.error) {
        struct steady_failure failure = {.error = d->cause.error,
                                         .message = steady_cause_text(&d->cause),
                                         .unreachable = d->unreachable};
        d->calls->failed(d->owner, &failure);
    } else if (d->owner) {
        int socket = d->socket;
        struct ssl_st *tls = d->tls;
        d->socket = -1;
        d->tls = NULL;
        d->calls->connected(d->owner, socket, tls);
    }
    free_dial(d);
}

/* What must not be done inside the library's callbacks. */
static void turn(struct steady_ready *ready)
{
    struct steady_dial *d = (struct steady_dial *)ready; /* its first member */
    bool given_up = !d->owner || d->timed_out;
    if (d->wsi) {
        if (!given_up || d->dead)
            return;
        d->dead = true;
        lws_set_timeout(d->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    } else if (given_up || d->cause.error || d->socket >= 0) {
        report(d);
    } else if (!d->probe && !(d->probe = steady_probe_start(d->loop, &d->address, probed, d))) {
        steady_cause_note(&d->cause, STEADY_NETWORK, "out of memory");
        report(d);
    }
}

static void dial(struct steady_dial *d)
{
    /* Without a network connect(2) fails at once: then libwebsockets 4.1 loses a libuv handle. */
    int error = steady_route_error(d->loop, &d->address);
    if (error) {
        steady_cause_note(&d->cause, STEADY_UNREACHABLE, "cannot be reached: %s",
                          uv_strerror(uv_translate_sys_error(error)));
        d->unreachable = true;
        steady_ready_add(d->loop, &d->ready);
        return;
    }
    const struct steady_target *target = &d->target;
    int flags = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    char host[280]; /* as in the request to a proxy: an IPv6 literal in brackets */
    snprintf(host, sizeof host, target->url->ipv6 ? "[%s]" : "%s", target->url->host);
    if (target->url->secure)
        flags |= LCCSCF_USE_SSL;
    if (!target->verify)
        flags |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE;
    /* The library's own check of the name takes an IPv6 literal for an empty name, and cuts long
     * ones. check_certificate looks at the whole of it in any case. */
    if (!target->verify || strchr(target->server_name, ':') || strlen(target->server_name) > 126)
        flags |= LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
    struct lws_client_connect_info info = {
        .context = d->loop->lws,
        .vhost = steady_vhost_lws(target->vhost),
        /* For a proxy, which resolves it, the name; the library connects to the vhost's proxy. */
        .address = target->proxy ? host : d->address.text,
        .port = target->url->port,
        .host = target->server_name,
        .path = "/", /* so that it comes to a request, see take_socket */
        .method = "GET",
        .local_protocol_name = PROTOCOL_NAME,
        .alpn = "http/1.1",
        .ssl_connection = flags,
        .opaque_user_data = d,
        .pwsi = &d->wsi,
    };
    lws_client_connect_via_info(&info);
    if (!d->wsi) /* it has failed already, perhaps without a word */
        steady_ready_add(d->loop, &d->ready);
}

struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner)
{
    struct steady_dial *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->ready.run = turn;
    d->loop = loop;
    d->socket = -1;
    d->calls = calls;
    d->owner = owner;
    d->target = *target;
    d->address = *target->address;
    d->target.address = &d->address;
    steady_vhost_share(d->target.vhost);
    d->link = &loop->dials;
    d->next = loop->dials;
    if (d->next)
        d->next->link = &d->next;
    loop->dials = d;
    loop->alive++;
    dial(d);
    return d;
}

void steady_dial_time_out(struct steady_dial *d, double seconds)
{
    bool in_tls = d->target.url->secure && d->wsi && tcp_connected(d->wsi);
    if (d->target.proxy)
        steady_cause_note(&d->cause, STEADY_TIMEOUT,
                          "no connection through the proxy %s within %g s", d->target.proxy->text,
                          seconds);
    else
        steady_cause_note(&d->cause, STEADY_TIMEOUT, "%s within %g s",
                          in_tls ? "no TLS handshake" : "no connection", seconds);
    d->timed_out = true;
    steady_ready_add(d->loop, &d->ready);
}

void steady_dial_drop(struct steady_dial *d)
{
    if (!d)
        return;
    d->owner = NULL;
    steady_ready_add(d->loop, &d->ready);
}

void steady_dials_drop(struct steady_loop *loop)
{
    for (struct steady_dial *d = loop->dials; d; d = d->next) {
        d->owner = NULL;
        steady_probe_cancel(d->probe);
        d->probe = NULL;
    }
}

void steady_dials_free(struct steady_loop *loop)
{
    while (loop->dials)
        free_dial(loop->dials);
}
