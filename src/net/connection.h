/* One attempt to connect, and the connection it may become, as a stream of bytes: libwebsockets'
 * HTTP/1.1 client role carries the upgrade and then moves bytes (DESIGN.md 3.5). This is the one
 * libwebsockets callback, and all that is known of how the library ends things is in here: whatever
 * happens, the owner hears of the end exactly once, unless it dropped the connection before. */
#ifndef STEADY_NET_CONNECTION_H
#define STEADY_NET_CONNECTION_H

#include "core/error.h"
#include "core/handshake.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/vhost.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_connection;

/* How an attempt or a connection ended. */
struct steady_end {
    enum steady_error error; /* STEADY_OK: the peer ended the TCP connection of an open one */
    const char *message;     /* what failed, without the client's name and the address */
    bool unreachable;        /* no TCP connection came about: another address may do better */
    int http_status;         /* 0: there was no answer to the upgrade */
    const struct steady_buffer *headers; /* of the answer, as "name\0value\0"…; may be NULL */
    const uint8_t *body;                 /* of the answer, at most STEADY_BODY_MAX; may be NULL */
    size_t body_size;
};

#define STEADY_BODY_MAX 4096 /* bytes of the body that are read when the answer is not 101 */

/* Calls to the owner, all from the loop. None is made after steady_connection_drop. The connection
 * still exists in all of them; after `ended` it is gone. */
struct steady_connection_owner {
    void (*opened)(void *owner, const struct steady_answer *answer,
                   const struct steady_buffer *headers);
    void (*received)(void *owner, const uint8_t *bytes, size_t size);
    void (*writable)(void *owner);
    void (*ended)(void *owner, const struct steady_end *end);
};

struct steady_target {
    const struct steady_address *address;
    const char *server_name; /* for SNI and the certificate */
    bool verify;             /* the certificate */
    struct steady_vhost *vhost;
    const struct steady_url *url;
    const struct steady_url *proxy;       /* NULL: none; otherwise address is the proxy's */
    const struct steady_options *options; /* headers, protocols, origin; like url, it must stay as
                                           * it is until the connection is open, ended or dropped */
};

/* Starts an attempt. NULL: out of memory. */
struct steady_connection *steady_connection_start(struct steady_loop *loop,
                                                  const struct steady_target *target,
                                                  const struct steady_connection_owner *calls,
                                                  void *owner);

/* TCP and TLS are done: the request is on its way. */
bool steady_connection_reached(const struct steady_connection *connection);

/* The attempt has taken too long: it ends, with STEADY_TIMEOUT unless a better reason is known. */
void steady_connection_time_out(struct steady_connection *connection, double seconds);

/* Ends it without ceremony and without another call to the owner; NULL is fine. */
void steady_connection_drop(struct steady_connection *connection);

/* Hands over bytes that stand in the loop's write buffer, behind its prefix. False: the connection
 * is broken, and will end. Only while steady_connection_can_write. */
bool steady_connection_write(struct steady_connection *connection, size_t size);

/* Whether all that was handed over before has gone to the system; if not, `writable` will be
 * called. */
bool steady_connection_can_write(struct steady_connection *connection);

/* Bytes of the last write, if libwebsockets still holds some of them. */
size_t steady_connection_buffered(struct steady_connection *connection);

/* Asks for a call of `writable` in a later turn. */
void steady_connection_want_writable(struct steady_connection *connection);

/* Stops and goes on reading from the socket. */
void steady_connection_pause(struct steady_connection *connection, bool pause);

/* For net/tls: the callback as libwebsockets wants it. For net/loop, at the end. */
struct lws_protocols;
const struct lws_protocols *steady_connection_protocols(void);
void steady_connections_drop(struct steady_loop *loop); /* before its handles are closed */
void steady_connections_free(struct steady_loop *loop); /* after */

#endif
