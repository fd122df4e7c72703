/* libwebsockets keeps TLS and proxy options by vhost, so there is one vhost for each distinct set
 * of them, counted and shared by clients and connections. */
#ifndef STEADY_NET_VHOST_H
#define STEADY_NET_VHOST_H

#include "core/options.h"
#include "core/url.h"
#include "net/loop.h"
#include "net/tls.h"

#include <stddef.h>

struct lws_vhost;
struct steady_vhost;

struct steady_proxy {
    const struct steady_url *url; /* for the port and the credentials */
    const char *address;          /* of its host, numeric: libwebsockets' own look-up would block */
};

/* A vhost for these options (tls NULL: without TLS; proxy NULL: without one), made when there is
 * none yet, and counted. NULL with a text in message when a file cannot be read or is not what it
 * should be, or memory is short. */
struct steady_vhost *steady_vhost_get(struct steady_loop *loop,
                                      const struct steady_tls_options *tls,
                                      const struct steady_proxy *proxy, char *message, size_t size);
struct lws_vhost *steady_vhost_lws(const struct steady_vhost *vhost);

struct steady_vhost *steady_vhost_share(struct steady_vhost *vhost);

/* Gives it back; the last user's call frees it, in a later turn. NULL is fine. */
void steady_vhost_release(struct steady_vhost *vhost);

/* When the context is gone. */
void steady_vhosts_free(struct steady_loop *loop);

#endif
