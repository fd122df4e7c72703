#include "net/connection.h"

#include "net/answer.h"
#include "net/tls.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL_NAME "steadysocket" /* libwebsockets' name for our callback; not on the wire */

enum phase {
    PHASE_CONNECTING, /* TCP, then TLS */
    PHASE_ASKED,      /* the request is on its way */
    PHASE_REFUSED,    /* the answer is not 101: its body is read */
    PHASE_ACCEPTED,   /* the answer is 101 and good */
    PHASE_OPEN,
};

struct steady_connection {
    struct steady_ready ready;
    struct steady_connection *next, **link; /* in the loop's list */
    struct steady_loop *loop;
    struct lws *wsi; /* NULL: the library is through with it */
    const struct steady_connection_owner *calls;
    void *owner; /* NULL: dropped */
    struct steady_target target;
    struct steady_address address;
    struct steady_request request;
    struct steady_http_answer answer;
    char key[25], accept[29]; /* base64 of 16 and 20 bytes */
    char *authorization;
    enum phase phase;
    bool paused, unread; /* unread: libwebsockets waits for us to read */
    bool broken;         /* a write failed: what the peer sent before can still be read */
    bool dead;           /* nothing is read or written any more, the end is near */
    bool finished;       /* the peer has ended its side in good order (FIN) */
    bool timed_out;
    bool probing;
    uv_tcp_t probe;
    uv_connect_t probe_request;
    enum steady_error error; /* the first thing that went wrong */
    bool unreachable;
    struct steady_buffer message, body;
    size_t last_write; /* bytes */
};

static void turn(struct steady_ready *ready);

/* ------------------------------------------------------------------------- how it ends */

/* Notes what went wrong; the first cause counts, what follows from it does not. Returns -1, with
 * which a callback tells libwebsockets to end the connection. */
static int fail(struct steady_connection *c, enum steady_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct steady_connection *c, enum steady_error error, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (c->error)
        return -1;
    c->error = error;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++) /* a server's words end up on terminals */
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    steady_buffer_append(&c->message, text, strlen(text) + 1); /* without memory: no text */
    return -1;
}

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
static void hung_up(struct steady_connection *c)
{
    if (c->phase == PHASE_CONNECTING && c->target.proxy)
        fail(c, STEADY_PROXY, "the proxy %s ended the connection", c->target.proxy->text);
    else if (c->phase == PHASE_CONNECTING && c->target.url->secure)
        fail(c, STEADY_TLS, "the TLS handshake failed: the server ended the connection");
    else
        fail(c, STEADY_HANDSHAKE,
             "the server closed the connection instead of answering the upgrade");
}

/* The library's last word on an attempt or connection. Its own texts differ from version to version
 * and are of help only where nothing better is known. */
static void library_ended(struct steady_connection *c, struct lws *wsi, const char *text)
{
    if (!c->owner) /* nobody asks, and what the target points to may be gone */
        return;
    if (c->phase == PHASE_CONNECTING && c->target.proxy && tcp_connected(wsi) &&
        !(text && strstr(text, "SSL")))
        fail(c, STEADY_PROXY, "the proxy %s refused to connect to %s%s%s", c->target.proxy->text,
             c->target.url->authority, text && strstr(text, "->") ? ": it answered" : "",
             text && strstr(text, "->") ? strstr(text, "->") + 2 : "");
    const char *reason = c->phase != PHASE_OPEN && c->target.url->secure
                             ? steady_tls_failure(lws_get_ssl(wsi))
                             : NULL;
    if (c->phase == PHASE_OPEN) {
        if (!c->finished)
            fail(c, STEADY_NETWORK, "the connection was reset");
    } else if (c->phase == PHASE_CONNECTING && !tcp_connected(wsi)) {
        return; /* `probe` finds out why */
    } else if (text && strstr(text, "parsing header")) {
        fail(c, STEADY_HANDSHAKE, "the answer to the upgrade is not HTTP, or over 16 KiB");
    } else if (reason) { /* in TLS 1.3 what the server thinks of a certificate comes this late */
        fail(c, STEADY_TLS, "the TLS handshake failed: %s", reason);
    } else {
        hung_up(c);
    }
}

static void probe_closed(uv_handle_t *handle)
{
    struct steady_connection *c = handle->data;
    c->probing = false;
    steady_ready_add(c->loop, &c->ready);
}

static void probe_done(uv_connect_t *request, int status)
{
    struct steady_connection *c = request->data;
    if (status && c->owner && c->target.proxy)
        fail(c, STEADY_PROXY, "the proxy %s cannot be reached: %s", c->target.proxy->text,
             uv_strerror(status));
    switch (status) {
    case 0:
    case UV_ECONNRESET: /* so it was there, and gone before libwebsockets had seen it */
        hung_up(c);
        break;
    case UV_ECONNREFUSED:
        fail(c, STEADY_REFUSED, "connection refused: nothing listens on that port");
        break;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
    case UV_ENOBUFS:
        fail(c, STEADY_NETWORK, "no socket can be made: %s", uv_strerror(status));
        break;
    default:
        fail(c, STEADY_UNREACHABLE, "cannot be reached: %s", uv_strerror(status));
    }
    c->unreachable = status && status != UV_ECONNRESET;
    if (!uv_is_closing((uv_handle_t *)&c->probe))
        uv_close((uv_handle_t *)&c->probe, probe_closed);
}

/* libwebsockets does not tell why connect(2) failed, so we ask the system ourselves, with a second
 * attempt that is given up as soon as it succeeds. */
static bool probe(struct steady_connection *c)
{
    if (uv_tcp_init(&c->loop->uv, &c->probe))
        return false;
    c->probing = true;
    c->probe.data = c->probe_request.data = c;
    int error = uv_tcp_connect(&c->probe_request, &c->probe, &c->address.socket.any, probe_done);
    if (error)
        probe_done(&c->probe_request, error);
    return true;
}

/* ------------------------------------------------------------------------- the upgrade */

static void verified(struct steady_connection *c, void *verification, bool good)
{
    char message[768];
    if (good || !c->owner)
        return;
    if (!c->target.verify) {
        steady_tls_accept(verification);
        return;
    }
    steady_tls_explain(verification, c->target.server_name, message, sizeof message);
    fail(c, STEADY_TLS, "%s", message);
}

/* Once more, on the finished TLS session and before anything is sent: that no version's way of
 * checking, or a resumed session, lets a wrong certificate pass. */
static int check_certificate(struct steady_connection *c, struct lws *wsi)
{
    char message[768];
    if (!c->target.url->secure || !c->target.verify ||
        steady_tls_check(lws_get_ssl(wsi), c->target.server_name, message, sizeof message))
        return 0;
    return fail(c, STEADY_TLS, "%s", message);
}

/* That the library did connect to the proxy: where it does not understand what it was told of one,
 * it goes straight to the target. */
static int check_proxy(struct steady_connection *c, struct lws *wsi)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    socklen_t size = sizeof peer;
    char text[64];
    static const char mapped[] = "::ffff:"; /* an IPv4 address on an IPv6 socket */
    if (!c->target.proxy)
        return 0;
    if (getpeername(lws_get_socket_fd(wsi), &peer.any, &size) ||
        uv_ip_name(&peer.any, text, sizeof text))
        return fail(c, STEADY_NETWORK, "the connection broke before the upgrade");
    size_t skip = strncmp(text, mapped, sizeof mapped - 1) ? 0 : sizeof mapped - 1;
    if (ntohs(peer.v4.sin_port) == c->target.proxy->port && !strcmp(text + skip, c->address.text))
        return 0;
    return fail(c, STEADY_PROXY, "libwebsockets %s did not take the proxy %s",
                lws_get_library_version(), c->target.proxy->text);
}

/* The library has written a request of its own, with a "connection: close" that many servers take
 * at its word, and on 4.1 with a path cut at 2,000 bytes. Ours takes its place from the beginning.
 * *end is where the library goes on, room what it says is left behind that. */
static int write_request(struct steady_connection *c, struct lws *wsi, unsigned char **end,
                         size_t room)
{
    if (check_proxy(c, wsi) || check_certificate(c, wsi))
        return -1;
    unsigned char *start = *end + room + 12 - STEADY_READ_SIZE;
    if (memcmp(start, "GET ", 4) != 0)
        return fail(c, STEADY_HANDSHAKE,
                    "libwebsockets %s lays out its request in a way we do not know",
                    lws_get_library_version());
    struct steady_buffer request = {0};
    int result = 0;
    if (!steady_handshake_request(&request, &c->request))
        result = fail(c, STEADY_NETWORK, "out of memory");
    else if (request.size > STEADY_READ_SIZE - 64)
        result =
            fail(c, STEADY_HANDSHAKE, "the request has %zu bytes, more than fit", request.size);
    else {
        /* The library adds the empty line. */
        memcpy(start, request.data, request.size - 2);
        *end = start + request.size - 2;
        c->phase = PHASE_ASKED;
    }
    steady_buffer_free(&request);
    return result;
}

static void refuse_status(struct steady_connection *c)
{
    const struct steady_http_answer *answer = &c->answer;
    int status = answer->fields.status;
    if (status >= 300 && status < 400 && answer->location)
        fail(c, STEADY_HTTP, "the server answered %d %s, to %s; redirects are not followed", status,
             answer->reason, answer->location);
    fail(c, STEADY_HTTP, "the server answered %d %s", status, answer->reason);
}

static int check_answer(struct steady_connection *c, struct lws *wsi)
{
    char message[512];
    if (!steady_answer_read(&c->answer, wsi))
        return fail(c, STEADY_NETWORK, "out of memory");
    if (c->answer.fields.status != 101) {
        refuse_status(c);
        c->phase = PHASE_REFUSED;
        return steady_answer_promises_body(&c->answer) ? 0 : -1;
    }
    if (!steady_handshake_check(&c->request, c->accept, &c->answer.fields, message, sizeof message))
        return fail(c, STEADY_HANDSHAKE, "%s", message);
    c->phase = PHASE_ACCEPTED;
    return 0;
}

static int opened(struct steady_connection *c)
{
    if (c->phase == PHASE_REFUSED)
        return 0;
    if (c->phase != PHASE_ACCEPTED)
        return -1;
    c->phase = PHASE_OPEN;
    c->calls->opened(c->owner, &c->answer.fields, &c->answer.headers);
    steady_answer_free(&c->answer);
    return 0;
}

/* ------------------------------------------------------------------------- the stream */

/* Ends a connection that has bytes in libwebsockets' hands. Returning -1, or a time-out, would make
 * the library wait for these to be flushed, spinning for as long as it takes. A shut down socket
 * makes its next write fail, and that ends it at once. */
static void shut(struct steady_connection *c)
{
    c->dead = true;
    shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    lws_callback_on_writable(c->wsi);
}

/* Outside the library's callbacks, where there is nobody to return -1 to. */
static void kill_stream(struct steady_connection *c)
{
    if (lws_partial_buffered(c->wsi))
        shut(c);
    else
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* Reads once what is there; -1 when the connection has ended. While not called, libwebsockets does
 * not poll for reading, and TCP holds the peer back. */
static int read_stream(struct steady_connection *c)
{
    char *buffer = (char *)c->loop->read_buffer;
    int size = STEADY_READ_SIZE;
    c->unread = c->paused || c->dead || !c->owner || c->loop->halted;
    if (!c->unread)
        return lws_http_client_read(c->wsi, &buffer, &size) < 0 ? -1 : 0;
    if (c->loop->halted)
        steady_ready_add(c->loop, &c->ready);
    return 0;
}

static int receive(struct steady_connection *c)
{
    if (!read_stream(c))
        return 0;
    if (!lws_partial_buffered(c->wsi))
        return -1;
    shut(c);
    return 0;
}

/* The body of an answer that is not 101, as far as it is of interest. */
static int read_body(struct steady_connection *c, enum lws_callback_reasons reason, const void *in,
                     size_t size)
{
    size_t room = STEADY_BODY_MAX - c->body.size;
    if (reason == LWS_CALLBACK_RECEIVE_CLIENT_HTTP)
        return receive(c);
    if (reason != LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ)
        return 0;
    steady_buffer_append(&c->body, in, size < room ? size : room);
    return size < room ? 0 : -1;
}

static int open_event(struct steady_connection *c, enum lws_callback_reasons reason, void *in,
                      size_t size)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return receive(c);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        if (c->owner)
            c->calls->received(c->owner, in, size);
        return 0;
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        if (c->owner)
            c->calls->writable(c->owner);
        return 0;
    default:
        return 0;
    }
}

/* ------------------------------------------------------------------------- the callback */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct steady_connection *c = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!c)
        return 0; /* about a vhost, not a connection */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        library_ended(c, wsi, in);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        c->wsi = NULL;
        steady_ready_add(c->loop, &c->ready);
        return 0;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        c->finished = true;
        return -1; /* or the library keeps the connection for another request */
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        verified(c, user, size != 0);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return c->owner ? write_request(c, wsi, in, size) : -1;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        return c->owner ? check_answer(c, wsi) : -1;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return c->owner ? opened(c) : -1;
    default:
        return c->phase == PHASE_OPEN      ? open_event(c, reason, in, size)
               : c->phase == PHASE_REFUSED ? read_body(c, reason, in, size)
                                           : 0;
    }
}

const struct lws_protocols *steady_connection_protocols(void)
{
    static const struct lws_protocols protocols[] = {
        {.name = PROTOCOL_NAME, .callback = callback, .tx_packet_size = STEADY_WRITE_SIZE},
        {0},
    };
    return protocols;
}

/* ------------------------------------------------------------------------- for the owner */

static void free_connection(struct steady_connection *c)
{
    struct steady_loop *loop = c->loop;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    loop->alive--;
    steady_ready_remove(loop, &c->ready);
    steady_vhost_release(c->target.vhost);
    steady_answer_free(&c->answer);
    steady_buffer_free(&c->message);
    steady_buffer_free(&c->body);
    free(c->authorization);
    free(c);
}

static void report_end(struct steady_connection *c)
{
    struct steady_end end = {
        .error = c->error,
        .message = c->message.data ? (char *)c->message.data : "out of memory",
        .unreachable = c->unreachable,
        .http_status = c->answer.fields.status,
        .headers = &c->answer.headers,
        .body = c->body.data,
        .body_size = c->body.size,
    };
    void *owner = c->owner;
    c->owner = NULL;
    if (owner)
        c->calls->ended(owner, &end);
    free_connection(c);
}

/* What must not be done inside the library's callbacks. */
static void turn(struct steady_ready *ready)
{
    struct steady_connection *c = (struct steady_connection *)ready; /* its first member */
    if (c->wsi) {
        if (!c->owner || c->timed_out ? !c->dead : c->unread && !c->paused && read_stream(c))
            kill_stream(c);
    } else if (c->probing) {
        if ((!c->owner || c->timed_out) && !uv_is_closing((uv_handle_t *)&c->probe))
            uv_close((uv_handle_t *)&c->probe, probe_closed);
    } else if (c->error || !c->owner || c->phase == PHASE_OPEN) {
        report_end(c);
    } else if (!probe(c)) {
        fail(c, STEADY_NETWORK, "out of memory");
        report_end(c);
    }
}

static void make_keys(struct steady_connection *c)
{
    unsigned char nonce[16], digest[20];
    char text[sizeof c->key + sizeof STEADY_HANDSHAKE_GUID];
    steady_loop_random_bytes(c->loop, nonce, sizeof nonce);
    lws_b64_encode_string((char *)nonce, sizeof nonce, c->key, sizeof c->key);
    int size = snprintf(text, sizeof text, "%s%s", c->key, STEADY_HANDSHAKE_GUID);
    lws_SHA1((unsigned char *)text, (size_t)size, digest);
    lws_b64_encode_string((char *)digest, sizeof digest, c->accept, sizeof c->accept);
}

/* Basic authorization from the URL (RFC 7617). */
static bool make_authorization(struct steady_connection *c)
{
    const struct steady_url *url = c->target.url;
    struct steady_buffer plain = {0};
    if (!url->user && !url->password)
        return true;
    bool done = steady_buffer_printf(&plain, "%s:%s", url->user ? url->user : "",
                                     url->password ? url->password : "");
    size_t size = plain.size * 4 / 3 + 16;
    if (done && (c->authorization = malloc(size))) {
        int n = snprintf(c->authorization, size, "Basic ");
        lws_b64_encode_string((char *)plain.data, (int)plain.size, c->authorization + n,
                              (int)size - n);
    }
    steady_buffer_free(&plain);
    return c->authorization != NULL;
}

static void describe_request(struct steady_connection *c)
{
    const struct steady_options *options = c->target.options;
    c->request = (struct steady_request){
        .url = c->target.url,
        .key = c->key,
        .origin = options->origin,
        .protocols = (const char *const *)options->protocols,
        .protocol_count = options->protocol_count,
        .compression = &options->compression,
        .headers = options->headers,
        .header_count = options->header_count,
        .authorization = c->authorization,
    };
}

/* Why no packet can go to the address, or 0. Without a network connect(2) fails at once, and then
 * libwebsockets 4.1 loses a libuv handle. Asking for the way of a datagram sends nothing. */
static int route_error(const struct steady_address *address)
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

static void dial(struct steady_connection *c)
{
    int error = route_error(&c->address);
    if (error) {
        fail(c, STEADY_UNREACHABLE, "cannot be reached: %s",
             uv_strerror(uv_translate_sys_error(error)));
        c->unreachable = true;
        steady_ready_add(c->loop, &c->ready);
        return;
    }
    const struct steady_target *target = &c->target;
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
        .context = c->loop->lws,
        .vhost = steady_vhost_lws(target->vhost),
        /* For a proxy, which resolves it, the name; the library connects to the vhost's proxy. */
        .address = target->proxy ? host : c->address.text,
        .port = target->url->port,
        .host = target->server_name,
        .path = "/", /* write_request knows the real one */
        .method = "GET",
        .local_protocol_name = PROTOCOL_NAME,
        .alpn = "http/1.1",
        .ssl_connection = flags,
        .opaque_user_data = c,
        .pwsi = &c->wsi,
    };
    lws_client_connect_via_info(&info);
    if (!c->wsi) /* it has failed already, perhaps without a word */
        steady_ready_add(c->loop, &c->ready);
}

struct steady_connection *steady_connection_start(struct steady_loop *loop,
                                                  const struct steady_target *target,
                                                  const struct steady_connection_owner *calls,
                                                  void *owner)
{
    struct steady_connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ready.run = turn;
    c->loop = loop;
    c->calls = calls;
    c->owner = owner;
    c->target = *target;
    c->address = *target->address;
    c->target.address = &c->address;
    steady_vhost_share(c->target.vhost);
    c->link = &loop->connections;
    c->next = loop->connections;
    if (c->next)
        c->next->link = &c->next;
    loop->connections = c;
    loop->alive++;
    if (!make_authorization(c)) {
        free_connection(c);
        return NULL;
    }
    make_keys(c);
    describe_request(c);
    dial(c);
    return c;
}

bool steady_connection_reached(const struct steady_connection *c)
{
    return c->phase != PHASE_CONNECTING;
}

static const char *missing(const struct steady_connection *c)
{
    if (c->phase != PHASE_CONNECTING)
        return "no complete HTTP answer to the upgrade";
    return c->target.url->secure && c->wsi && tcp_connected(c->wsi) ? "no TLS handshake"
                                                                    : "no connection";
}

void steady_connection_time_out(struct steady_connection *c, double seconds)
{
    if (c->phase == PHASE_CONNECTING && c->target.proxy)
        fail(c, STEADY_TIMEOUT, "no connection through the proxy %s within %g s",
             c->target.proxy->text, seconds);
    else
        fail(c, STEADY_TIMEOUT, "%s within %g s", missing(c), seconds);
    c->timed_out = true;
    steady_ready_add(c->loop, &c->ready);
}

void steady_connection_drop(struct steady_connection *c)
{
    if (!c)
        return;
    c->owner = NULL;
    steady_ready_add(c->loop, &c->ready);
}

bool steady_connection_can_write(struct steady_connection *c)
{
    return c->wsi && !c->dead && !c->broken && !lws_partial_buffered(c->wsi);
}

bool steady_connection_write(struct steady_connection *c, size_t size)
{
    c->last_write = size;
    if (lws_write(c->wsi, c->loop->write_buffer + LWS_PRE, size, LWS_WRITE_RAW) >= 0)
        return true;
    c->broken = true;
    return false;
}

size_t steady_connection_buffered(struct steady_connection *c)
{
    return c->wsi && lws_partial_buffered(c->wsi) ? c->last_write : 0;
}

void steady_connection_want_writable(struct steady_connection *c)
{
    if (c->wsi && !c->dead && !c->broken)
        lws_callback_on_writable(c->wsi);
}

void steady_connection_pause(struct steady_connection *c, bool pause)
{
    c->paused = pause;
    if (c->unread && !pause)
        steady_ready_add(c->loop, &c->ready);
}

void steady_connections_drop(struct steady_loop *loop)
{
    for (struct steady_connection *c = loop->connections; c; c = c->next) {
        c->owner = NULL;
        if (c->probing && !uv_is_closing((uv_handle_t *)&c->probe))
            uv_close((uv_handle_t *)&c->probe, NULL);
    }
}

void steady_connections_free(struct steady_loop *loop)
{
    while (loop->connections)
        free_connection(loop->connections);
}
