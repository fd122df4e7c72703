/* TLS for clients. libwebsockets keeps TLS options by vhost, so there is one vhost for each
 * distinct set of options, counted and shared, and one without TLS. */
#ifndef STEADY_NET_TLS_H
#define STEADY_NET_TLS_H

#include "core/options.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct lws_vhost;
struct ssl_st; /* OpenSSL's SSL */
struct steady_vhost;

/* A vhost for these options (NULL: without TLS), made when there is none yet, and counted. NULL
 * with a text in message when a file cannot be read or is not what it should be, or memory is
 * short. */
struct steady_vhost *steady_vhost_get(struct steady_loop *loop,
                                      const struct steady_tls_options *tls, char *message,
                                      size_t size);
struct lws_vhost *steady_vhost_lws(const struct steady_vhost *vhost);

struct steady_vhost *steady_vhost_share(struct steady_vhost *vhost);

/* Gives it back; the last user's call frees it, in a later turn. NULL is fine. */
void steady_vhost_release(struct steady_vhost *vhost);

/* When the context is gone. */
void steady_vhosts_free(struct steady_loop *loop);

/* During the handshake; verification is what LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION
 * gives as its user argument. Explains why a certificate is refused (host: the name that was
 * expected), or accepts it all the same. */
void steady_tls_explain(void *verification, const char *host, char *message, size_t size);
void steady_tls_accept(void *verification);

/* After the handshake: whether the peer has shown a certificate that was verified and is for this
 * host, a name or a literal address. If not, message says so. */
bool steady_tls_check(struct ssl_st *tls, const char *host, char *message, size_t size);

/* The reason of the last failure in OpenSSL's queue of errors in this thread, or NULL. */
const char *steady_tls_last_error(void);

#endif
