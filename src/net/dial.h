/* From an address to a connection: TCP, the way through a proxy, and TLS. They are libwebsockets';
 * this is its one callback, and all that is known of how it ends things is in here. Once it is
 * about to send a request of its own, the socket is taken from it (docs/decisions.md says why). */
#ifndef STEADY_NET_DIAL_H
#define STEADY_NET_DIAL_H

#include "core/url.h"
#include "net/dns.h"
#include "net/failure.h"
#include "net/loop.h"
#include "net/vhost.h"

#include <stdbool.h>

struct ssl_st; /* OpenSSL's SSL */
struct steady_dial;

struct steady_target {
    const struct steady_address *address;
    const char *server_name; /* for SNI and the certificate */
    bool verify;             /* the certificate */
    struct steady_vhost *vhost;
    const struct steady_url *url;   /* like server_name and proxy, it must stay as it is until the
                                     * dial has ended or is dropped */
    const struct steady_url *proxy; /* NULL: none; otherwise address is the proxy's */
};

/* Calls to the owner, from the loop: one of them, once, unless it drops the dial before, which is
 * gone after it. */
struct steady_dial_owner {
    /* The socket does not block; it and the TLS session (NULL: none) are the owner's now. */
    void (*connected)(void *owner, int socket, struct ssl_st *tls);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

/* NULL: out of memory. */
struct steady_dial *steady_dial_start(struct steady_loop *loop, const struct steady_target *target,
                                      const struct steady_dial_owner *calls, void *owner);

/* It has taken too long: it fails, with STEADY_TIMEOUT unless a better reason is known. */
void steady_dial_time_out(struct steady_dial *dial, double seconds);

/* Ends it without a call to the owner; NULL is fine. */
void steady_dial_drop(struct steady_dial *dial);

/* For net/vhost: the callback as libwebsockets wants it. For net/loop, at the end. */
struct lws_protocols;
const struct lws_protocols *steady_dial_protocols(void);
void steady_dials_drop(struct steady_loop *loop); /* before its handles are closed */
void steady_dials_free(struct steady_loop *loop); /* after */

#endif
