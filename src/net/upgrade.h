/* One attempt: from an address to a socket on which the server has accepted the upgrade. TCP, the
 * way through a proxy, TLS, and the HTTP/1.1 request and its answer are libwebsockets'; this is its
 * one callback, and all that is known of how it ends things is in here. Once the answer is 101 the
 * library is told to leave, and the socket goes to the owner (docs/decisions.md says why). */
#ifndef STEADY_NET_UPGRADE_H
#define STEADY_NET_UPGRADE_H

#include "core/error.h"
#include "core/handshake.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/vhost.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL */
struct steady_upgrade;

/* What has come of it. */
struct steady_accepted {
    const struct steady_answer *answer;
    const struct steady_buffer *headers; /* of the answer, as "name\0value\0"… */
    int socket;                          /* connected, does not block; now the owner's */
    struct ssl_st *tls;                  /* NULL: none; now the owner's */
    const uint8_t *first;                /* bytes that came behind the answer; may be NULL */
    size_t first_size;
};

/* Why nothing has. */
struct steady_failure {
    enum steady_error error;
    const char *message; /* what failed, without the client's name and the address */
    bool unreachable;    /* no TCP connection came about: another address may do better */
    int http_status;     /* 0: there was no answer to the upgrade */
    const struct steady_buffer *headers; /* of the answer; may be NULL */
    const uint8_t *body;                 /* of the answer, at most STEADY_BODY_MAX; may be NULL */
    size_t body_size;
};

#define STEADY_BODY_MAX 4096 /* bytes of the body that are read when the answer is not 101 */

/* Calls to the owner, from the loop: one of them, once, unless it drops the attempt before. What
 * they point to is good during the call; the attempt is gone after it. */
struct steady_upgrade_owner {
    void (*accepted)(void *owner, const struct steady_accepted *accepted);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

struct steady_target {
    const struct steady_address *address;
    const char *server_name; /* for SNI and the certificate */
    bool verify;             /* the certificate */
    struct steady_vhost *vhost;
    const struct steady_url *url;
    const struct steady_url *proxy;       /* NULL: none; otherwise address is the proxy's */
    const struct steady_options *options; /* headers, protocols, origin; like url, it must stay as
                                           * it is until the attempt has ended or is dropped */
};

/* NULL: out of memory. */
struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_upgrade_owner *calls, void *owner);

/* TCP and TLS are done: the request is on its way. */
bool steady_upgrade_reached(const struct steady_upgrade *upgrade);

/* The attempt has taken too long: it fails, with STEADY_TIMEOUT unless a better reason is known. */
void steady_upgrade_time_out(struct steady_upgrade *upgrade, double seconds);

/* Ends it without a call to the owner; NULL is fine. */
void steady_upgrade_drop(struct steady_upgrade *upgrade);

/* For net/vhost: the callback as libwebsockets wants it. For net/loop, at the end. */
struct lws_protocols;
const struct lws_protocols *steady_upgrade_protocols(void);
void steady_upgrades_drop(struct steady_loop *loop); /* before its handles are closed */
void steady_upgrades_free(struct steady_loop *loop); /* after */

#endif
