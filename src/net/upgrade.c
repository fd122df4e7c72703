#include "net/upgrade.h"

#include "net/answer.h"
#include "net/probe.h"
#include "net/route.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
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

/* Reads with which the library gives out what it holds behind the answer: one, on all versions. */
#define LAST_READS 4

enum phase {
    PHASE_CONNECTING, /* TCP, then TLS */
    PHASE_ASKED,      /* the request is on its way */
    PHASE_REFUSED,    /* the answer is not 101: its body is read */
    PHASE_GOOD,       /* the answer is 101 as it should be */
    PHASE_ACCEPTED,   /* the socket is ours too */
};

struct steady_upgrade {
    struct steady_ready ready;
    struct steady_upgrade *next, **link; /* in the loop's list */
    struct steady_loop *loop;
    struct lws *wsi; /* NULL: the library is through with it */
    const struct steady_upgrade_owner *calls;
    void *owner; /* NULL: dropped */
    struct steady_target target;
    struct steady_address address;
    struct steady_request request;
    struct steady_http_answer answer;
    char key[25], accept[29]; /* base64 of 16 and 20 bytes */
    char *authorization;
    enum phase phase;
    bool dead; /* the library has been told to end it */
    bool timed_out;
    struct steady_probe *probe;
    enum steady_error error; /* the first thing that went wrong */
    bool unreachable;
    struct steady_buffer message;
    struct steady_buffer body; /* behind the answer: of a refusal, or the stream's first bytes */
    int socket;                /* -1: not ours */
    struct ssl_st *tls;        /* ours too, with the socket */
};

static void turn(struct steady_ready *ready);
static void refuse_status(struct steady_upgrade *u);

/* ------------------------------------------------------------------------- how it ends */

/* Notes what went wrong; the first cause counts, what follows from it does not. Returns -1, with
 * which a callback tells libwebsockets to end the connection. */
static int fail(struct steady_upgrade *u, enum steady_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct steady_upgrade *u, enum steady_error error, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (u->error)
        return -1;
    u->error = error;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++) /* a server's words end up on terminals */
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    steady_buffer_append(&u->message, text, strlen(text) + 1); /* without memory: no text */
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
static void hung_up(struct steady_upgrade *u)
{
    if (u->phase == PHASE_CONNECTING && u->target.proxy)
        fail(u, STEADY_PROXY, "the proxy %s ended the connection", u->target.proxy->text);
    else if (u->phase == PHASE_CONNECTING && u->target.url->secure)
        fail(u, STEADY_TLS, "the TLS handshake failed: the server ended the connection");
    else
        fail(u, STEADY_HANDSHAKE,
             "the server closed the connection instead of answering the upgrade");
}

/* From 4.5 on the library keeps a 401 to itself. */
static void notice_401(struct steady_upgrade *u, struct lws *wsi)
{
    if (u->error || u->phase != PHASE_ASKED || !lws_hdr_total_length(wsi, WSI_TOKEN_HTTP) ||
        !steady_answer_read(&u->answer, wsi))
        return;
    if (u->answer.fields.status == 401)
        refuse_status(u);
    else
        u->answer.fields.status = 0; /* the answer has only begun */
}

/* The library's last word on an attempt. Its own texts differ from version to version and are of
 * help only where nothing better is known. */
static void library_ended(struct steady_upgrade *u, struct lws *wsi, const char *text)
{
    if (!u->owner || u->phase == PHASE_ACCEPTED) /* what the target points to may be gone */
        return;
    notice_401(u, wsi);
    if (u->phase == PHASE_CONNECTING && u->target.proxy && tcp_connected(wsi) &&
        !(text && strstr(text, "SSL")))
        fail(u, STEADY_PROXY, "the proxy %s refused to connect to %s%s%s", u->target.proxy->text,
             u->target.url->authority, text && strstr(text, "->") ? ": it answered" : "",
             text && strstr(text, "->") ? strstr(text, "->") + 2 : "");
    const char *reason = u->target.url->secure ? steady_tls_failure(lws_get_ssl(wsi)) : NULL;
    if (u->phase == PHASE_CONNECTING && !tcp_connected(wsi)) {
        return; /* the probe finds out why */
    } else if (text && strstr(text, "parsing header")) {
        fail(u, STEADY_HANDSHAKE, "the answer to the upgrade is not HTTP, or over 16 KiB");
    } else if (reason) { /* in TLS 1.3 what the server thinks of a certificate comes this late */
        fail(u, STEADY_TLS, "the TLS handshake failed: %s", reason);
    } else {
        hung_up(u);
    }
}

static void probed(void *owner, int status)
{
    struct steady_upgrade *u = owner;
    u->probe = NULL;
    if (status && u->target.proxy)
        fail(u, STEADY_PROXY, "the proxy %s cannot be reached: %s", u->target.proxy->text,
             uv_strerror(status));
    switch (status) {
    case 0:
    case UV_ECONNRESET: /* so it was there, and gone before libwebsockets had seen it */
        hung_up(u);
        break;
    case UV_ECONNREFUSED:
        fail(u, STEADY_REFUSED, "connection refused: nothing listens on that port");
        break;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
    case UV_ENOBUFS:
        fail(u, STEADY_NETWORK, "no socket can be made: %s", uv_strerror(status));
        break;
    default:
        fail(u, STEADY_UNREACHABLE, "cannot be reached: %s", uv_strerror(status));
    }
    u->unreachable = status && status != UV_ECONNRESET;
    steady_ready_add(u->loop, &u->ready);
}

/* ------------------------------------------------------------------------- the upgrade */

static void verified(struct steady_upgrade *u, void *verification, bool good)
{
    char message[768];
    if (good || !u->owner)
        return;
    if (!u->target.verify) {
        steady_tls_accept(verification);
        return;
    }
    steady_tls_explain(verification, u->target.server_name, message, sizeof message);
    fail(u, STEADY_TLS, "%s", message);
}

/* Once more, on the finished TLS session and before anything is sent: that no version's way of
 * checking, or a resumed session, lets a wrong certificate pass. */
static int check_certificate(struct steady_upgrade *u, struct lws *wsi)
{
    char message[768];
    if (!u->target.url->secure || !u->target.verify ||
        steady_tls_check(lws_get_ssl(wsi), u->target.server_name, message, sizeof message))
        return 0;
    return fail(u, STEADY_TLS, "%s", message);
}

/* That the library did connect to the proxy: where it does not understand what it was told of one,
 * it goes straight to the target. */
static int check_proxy(struct steady_upgrade *u, struct lws *wsi)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    socklen_t size = sizeof peer;
    char text[64];
    static const char mapped[] = "::ffff:"; /* an IPv4 address on an IPv6 socket */
    if (!u->target.proxy)
        return 0;
    if (getpeername(lws_get_socket_fd(wsi), &peer.any, &size) ||
        uv_ip_name(&peer.any, text, sizeof text))
        return fail(u, STEADY_NETWORK, "the connection broke before the upgrade");
    size_t skip = strncmp(text, mapped, sizeof mapped - 1) ? 0 : sizeof mapped - 1;
    if (ntohs(peer.v4.sin_port) == u->target.proxy->port && !strcmp(text + skip, u->address.text))
        return 0;
    return fail(u, STEADY_PROXY, "libwebsockets %s did not take the proxy %s",
                lws_get_library_version(), u->target.proxy->text);
}

/* The library has written a request of its own, with a "connection: close" that many servers take
 * at its word, and on 4.1 with a path cut at 2,000 bytes. Ours takes its place from the beginning.
 * *end is where the library goes on, room what it says is left behind that. */
static int write_request(struct steady_upgrade *u, struct lws *wsi, unsigned char **end,
                         size_t room)
{
    if (check_proxy(u, wsi) || check_certificate(u, wsi))
        return -1;
    unsigned char *start = *end + room + 12 - STEADY_READ_SIZE;
    if (memcmp(start, "GET ", 4) != 0)
        return fail(u, STEADY_HANDSHAKE,
                    "libwebsockets %s lays out its request in a way we do not know",
                    lws_get_library_version());
    struct steady_buffer request = {0};
    int result = 0;
    if (!steady_handshake_request(&request, &u->request))
        result = fail(u, STEADY_NETWORK, "out of memory");
    else if (request.size > STEADY_READ_SIZE - 64)
        result =
            fail(u, STEADY_HANDSHAKE, "the request has %zu bytes, more than fit", request.size);
    else {
        /* The library adds the empty line. */
        memcpy(start, request.data, request.size - 2);
        *end = start + request.size - 2;
        u->phase = PHASE_ASKED;
    }
    steady_buffer_free(&request);
    return result;
}

static void refuse_status(struct steady_upgrade *u)
{
    const struct steady_http_answer *answer = &u->answer;
    int status = answer->fields.status;
    if (status >= 300 && status < 400 && answer->location)
        fail(u, STEADY_HTTP, "the server answered %d %s, to %s; redirects are not followed", status,
             answer->reason, answer->location);
    fail(u, STEADY_HTTP, "the server answered %d %s", status, answer->reason);
}

static int check_answer(struct steady_upgrade *u, struct lws *wsi)
{
    char message[512];
    if (!steady_answer_read(&u->answer, wsi))
        return fail(u, STEADY_NETWORK, "out of memory");
    if (u->answer.fields.status != 101) {
        refuse_status(u);
        u->phase = PHASE_REFUSED;
        return steady_answer_body_size(&u->answer) ? 0 : -1;
    }
    if (!steady_handshake_check(&u->request, u->accept, &u->answer.fields, message, sizeof message))
        return fail(u, STEADY_HANDSHAKE, "%s", message);
    u->phase = PHASE_GOOD;
    return 0;
}

/* The socket is ours from here on: the library closes its own descriptor of it, and its reference
 * to the TLS session, when it is told to leave. */
static int take_socket(struct steady_upgrade *u, struct lws *wsi)
{
    if (u->phase == PHASE_REFUSED)
        return 0;
    if (u->phase != PHASE_GOOD)
        return -1;
    if (lws_partial_buffered(wsi))
        return fail(u, STEADY_HANDSHAKE, "the server has answered before it had the request");
    u->socket = fcntl(lws_get_socket_fd(wsi), F_DUPFD_CLOEXEC, 0);
    if (u->socket < 0)
        return fail(u, STEADY_NETWORK, "no socket can be made: %s",
                    uv_strerror(uv_translate_sys_error(errno)));
    u->tls = lws_get_ssl(wsi);
    if (u->tls)
        steady_tls_keep(u->tls);
    u->phase = PHASE_ACCEPTED;
    steady_ready_add(u->loop, &u->ready);
    return 0;
}

/* ------------------------------------------------------------------------- behind the answer */

/* Ends a connection that has bytes in libwebsockets' hands. Returning -1, or a time-out, would make
 * the library wait for these to be flushed, spinning for as long as it takes. A shut down socket
 * makes its next write fail, and that ends it at once. */
static void shut(struct steady_upgrade *u)
{
    u->dead = true;
    shutdown(lws_get_socket_fd(u->wsi), SHUT_RDWR);
    lws_callback_on_writable(u->wsi);
}

/* Outside the library's callbacks, where there is nobody to return -1 to. */
static void end_library(struct steady_upgrade *u)
{
    u->dead = true;
    if (lws_partial_buffered(u->wsi))
        shut(u);
    else
        lws_set_timeout(u->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static int read_once(struct steady_upgrade *u)
{
    char *buffer = (char *)u->loop->read_buffer;
    int size = STEADY_READ_SIZE;
    return lws_http_client_read(u->wsi, &buffer, &size) < 0 ? -1 : 0;
}

/* What the library has read of the stream together with the answer is the stream's beginning.
 * Should the connection end meanwhile, our socket tells of it as well. */
static void leave_library(struct steady_upgrade *u)
{
    size_t before = SIZE_MAX;
    for (int i = 0; i < LAST_READS && u->body.size != before; i++) {
        before = u->body.size;
        if (read_once(u))
            break;
    }
    end_library(u);
}

/* It has closed its descriptor, whose number may be another file's by now: whatever becomes of the
 * session, its goodbye included, goes to our own from here on. */
static void library_left(struct steady_upgrade *u)
{
    u->wsi = NULL;
    if (u->tls && !steady_tls_take(u->tls, u->socket)) {
        steady_tls_abandon(u->tls);
        u->tls = NULL;
        fail(u, STEADY_NETWORK, "out of memory");
    }
    steady_ready_add(u->loop, &u->ready);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The body of an answer that is not 101, as far as it is of interest; -1 when that is all. */
static int read_body(struct steady_upgrade *u, const void *in, size_t size)
{
    size_t most = smaller(steady_answer_body_size(&u->answer), STEADY_BODY_MAX);
    steady_buffer_append(&u->body, in, smaller(size, most - u->body.size));
    return u->body.size < most ? 0 : -1;
}

/* While it is not read, libwebsockets does not poll for it. Of a 401 it tells the body only,
 * from 4.5 on. */
static int receive(struct steady_upgrade *u)
{
    if (u->phase == PHASE_ASKED && u->owner && check_answer(u, u->wsi))
        return -1;
    if (u->phase != PHASE_REFUSED || u->dead || !u->owner || !read_once(u))
        return 0;
    if (!lws_partial_buffered(u->wsi))
        return -1;
    shut(u);
    return 0;
}

static int received(struct steady_upgrade *u, const void *in, size_t size)
{
    if (u->phase == PHASE_REFUSED)
        return read_body(u, in, size);
    if (u->phase == PHASE_ACCEPTED && !steady_buffer_append(&u->body, in, size))
        fail(u, STEADY_NETWORK, "out of memory");
    return 0;
}

/* ------------------------------------------------------------------------- the callback */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct steady_upgrade *u = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!u)
        return 0; /* about a vhost, not a connection */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        library_ended(u, wsi, in);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        library_left(u);
        return 0;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        return -1; /* or the library keeps the connection for another request */
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        verified(u, user, size != 0);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return u->owner ? write_request(u, wsi, in, size) : -1;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        return u->owner ? check_answer(u, wsi) : -1;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return u->owner ? take_socket(u, wsi) : -1;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return receive(u);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return received(u, in, size);
    default:
        return 0;
    }
}

const struct lws_protocols *steady_upgrade_protocols(void)
{
    static const struct lws_protocols protocols[] = {
        {.name = PROTOCOL_NAME, .callback = callback},
        {0},
    };
    return protocols;
}

/* ------------------------------------------------------------------------- for the owner */

static void free_upgrade(struct steady_upgrade *u)
{
    struct steady_loop *loop = u->loop;
    *u->link = u->next;
    if (u->next)
        u->next->link = u->link;
    loop->alive--;
    steady_ready_remove(loop, &u->ready);
    steady_probe_cancel(u->probe);
    steady_vhost_release(u->target.vhost);
    steady_answer_free(&u->answer);
    steady_tls_end(u->tls);
    if (u->socket >= 0)
        close(u->socket);
    steady_buffer_free(&u->message);
    steady_buffer_free(&u->body);
    free(u->authorization);
    free(u);
}

static void report_failure(struct steady_upgrade *u)
{
    struct steady_failure failure = {
        .error = u->error,
        .message = u->message.data ? (char *)u->message.data : "out of memory",
        .unreachable = u->unreachable,
        .http_status = u->answer.fields.status,
        .headers = &u->answer.headers,
        .body = u->body.data,
        .body_size = u->body.size,
    };
    u->calls->failed(u->owner, &failure);
}

static void report_success(struct steady_upgrade *u)
{
    struct steady_accepted accepted = {
        .answer = &u->answer.fields,
        .headers = &u->answer.headers,
        .socket = u->socket,
        .tls = u->tls,
        .first = u->body.data,
        .first_size = u->body.size,
    };
    u->socket = -1;
    u->tls = NULL;
    u->calls->accepted(u->owner, &accepted);
}

/* The one call to the owner. */
static void report(struct steady_upgrade *u)
{
    if (u->owner && u->error)
        report_failure(u);
    else if (u->owner)
        report_success(u);
    free_upgrade(u);
}

/* What must not be done inside the library's callbacks. */
static void turn(struct steady_ready *ready)
{
    struct steady_upgrade *u = (struct steady_upgrade *)ready; /* its first member */
    bool given_up = !u->owner || u->timed_out;
    if (u->wsi) {
        if (u->dead)
            return;
        if (given_up)
            end_library(u);
        else if (u->phase == PHASE_ACCEPTED)
            leave_library(u);
    } else if (given_up || u->error || u->phase == PHASE_ACCEPTED) {
        report(u);
    } else if (!u->probe && !(u->probe = steady_probe_start(u->loop, &u->address, probed, u))) {
        fail(u, STEADY_NETWORK, "out of memory");
        report(u);
    }
}

static void make_keys(struct steady_upgrade *u)
{
    unsigned char nonce[16], digest[20];
    char text[sizeof u->key + sizeof STEADY_HANDSHAKE_GUID];
    steady_loop_random_bytes(u->loop, nonce, sizeof nonce);
    lws_b64_encode_string((char *)nonce, sizeof nonce, u->key, sizeof u->key);
    int size = snprintf(text, sizeof text, "%s%s", u->key, STEADY_HANDSHAKE_GUID);
    lws_SHA1((unsigned char *)text, (size_t)size, digest);
    lws_b64_encode_string((char *)digest, sizeof digest, u->accept, sizeof u->accept);
}

/* Basic authorization from the URL (RFC 7617). */
static bool make_authorization(struct steady_upgrade *u)
{
    const struct steady_url *url = u->target.url;
    struct steady_buffer plain = {0};
    if (!url->user && !url->password)
        return true;
    bool done = steady_buffer_printf(&plain, "%s:%s", url->user ? url->user : "",
                                     url->password ? url->password : "");
    size_t size = plain.size * 4 / 3 + 16;
    if (done && (u->authorization = malloc(size))) {
        int n = snprintf(u->authorization, size, "Basic ");
        lws_b64_encode_string((char *)plain.data, (int)plain.size, u->authorization + n,
                              (int)size - n);
    }
    steady_buffer_free(&plain);
    return u->authorization != NULL;
}

static void describe_request(struct steady_upgrade *u)
{
    const struct steady_options *options = u->target.options;
    u->request = (struct steady_request){
        .url = u->target.url,
        .key = u->key,
        .origin = options->origin,
        .protocols = (const char *const *)options->protocols,
        .protocol_count = options->protocol_count,
        .compression = &options->compression,
        .headers = options->headers,
        .header_count = options->header_count,
        .authorization = u->authorization,
    };
}

static void dial(struct steady_upgrade *u)
{
    /* Without a network connect(2) fails at once: then libwebsockets 4.1 loses a libuv handle. */
    int error = steady_route_error(u->loop, &u->address);
    if (error) {
        fail(u, STEADY_UNREACHABLE, "cannot be reached: %s",
             uv_strerror(uv_translate_sys_error(error)));
        u->unreachable = true;
        steady_ready_add(u->loop, &u->ready);
        return;
    }
    const struct steady_target *target = &u->target;
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
        .context = u->loop->lws,
        .vhost = steady_vhost_lws(target->vhost),
        /* For a proxy, which resolves it, the name; the library connects to the vhost's proxy. */
        .address = target->proxy ? host : u->address.text,
        .port = target->url->port,
        .host = target->server_name,
        .path = "/", /* write_request knows the real one */
        .method = "GET",
        .local_protocol_name = PROTOCOL_NAME,
        .alpn = "http/1.1",
        .ssl_connection = flags,
        .opaque_user_data = u,
        .pwsi = &u->wsi,
    };
    lws_client_connect_via_info(&info);
    if (!u->wsi) /* it has failed already, perhaps without a word */
        steady_ready_add(u->loop, &u->ready);
}

struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_upgrade_owner *calls, void *owner)
{
    struct steady_upgrade *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->ready.run = turn;
    u->loop = loop;
    u->socket = -1;
    u->calls = calls;
    u->owner = owner;
    u->target = *target;
    u->address = *target->address;
    u->target.address = &u->address;
    steady_vhost_share(u->target.vhost);
    u->link = &loop->upgrades;
    u->next = loop->upgrades;
    if (u->next)
        u->next->link = &u->next;
    loop->upgrades = u;
    loop->alive++;
    if (!make_authorization(u)) {
        free_upgrade(u);
        return NULL;
    }
    make_keys(u);
    describe_request(u);
    dial(u);
    return u;
}

bool steady_upgrade_reached(const struct steady_upgrade *u)
{
    return u->phase != PHASE_CONNECTING;
}

static const char *missing(const struct steady_upgrade *u)
{
    if (u->phase != PHASE_CONNECTING)
        return "no complete HTTP answer to the upgrade";
    return u->target.url->secure && u->wsi && tcp_connected(u->wsi) ? "no TLS handshake"
                                                                    : "no connection";
}

void steady_upgrade_time_out(struct steady_upgrade *u, double seconds)
{
    if (u->wsi)
        notice_401(u, u->wsi);
    if (u->phase == PHASE_CONNECTING && u->target.proxy)
        fail(u, STEADY_TIMEOUT, "no connection through the proxy %s within %g s",
             u->target.proxy->text, seconds);
    else
        fail(u, STEADY_TIMEOUT, "%s within %g s", missing(u), seconds);
    u->timed_out = true;
    steady_ready_add(u->loop, &u->ready);
}

void steady_upgrade_drop(struct steady_upgrade *u)
{
    if (!u)
        return;
    u->owner = NULL;
    steady_ready_add(u->loop, &u->ready);
}

void steady_upgrades_drop(struct steady_loop *loop)
{
    for (struct steady_upgrade *u = loop->upgrades; u; u = u->next) {
        u->owner = NULL;
        steady_probe_cancel(u->probe);
        u->probe = NULL;
    }
}

void steady_upgrades_free(struct steady_loop *loop)
{
    while (loop->upgrades)
        free_upgrade(loop->upgrades);
}
