/* TLS for clients, by OpenSSL: what the options say, and why a certificate is refused. */
#ifndef STEADY_NET_TLS_H
#define STEADY_NET_TLS_H

#include "core/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st;     /* OpenSSL's SSL: a session */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* What connections with these options have in common. NULL with a text in message when a file
 * cannot be used or memory is short. The options must stay as they are while it is made, not
 * longer. */
struct ssl_ctx_st *steady_tls_new(const struct steady_tls_options *options, char *message,
                                  size_t size);
void steady_tls_free(struct ssl_ctx_st *tls); /* NULL is fine */

/* During the handshake; verification is what LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION
 * gives as its user argument. Explains why a certificate is refused (host: the name that was
 * expected), or accepts it all the same. */
void steady_tls_explain(void *verification, const char *host, char *message, size_t size);
void steady_tls_accept(void *verification);

/* After the handshake: whether the peer has shown a certificate that was verified and is for this
 * host, a name or a literal address. If not, message says so. */
bool steady_tls_check(struct ssl_st *tls, const char *host, char *message, size_t size);

/* When a session is over: why its handshake failed, or how the peer complained after it; NULL: not
 * known. What is unread is lost by this. Good until something happens to another session in this
 * thread. */
const char *steady_tls_failure(struct ssl_st *tls);

/* A context whose sessions outlive libwebsockets' connections: after the library has seen it. */
void steady_tls_forget_library(struct ssl_ctx_st *tls);

/* Keeps a session that libwebsockets is about to free. Once it has, the session goes on with the
 * socket given. */
void steady_tls_keep(struct ssl_st *tls);
bool steady_tls_take(struct ssl_st *tls, int socket);

/* Bytes read or written; 0: it must wait for the socket; -1: the session is over. again: there may
 * be more to read, or its end, that the socket does not tell of. */
ptrdiff_t steady_tls_read(struct ssl_st *tls, uint8_t *buffer, size_t size, bool *again);
ptrdiff_t steady_tls_write(struct ssl_st *tls, const uint8_t *bytes, size_t size);

/* Tells the peer, if that can be done at once, and frees the session; NULL is fine. abandon frees
 * it without a word: it has no socket. */
void steady_tls_end(struct ssl_st *tls);
void steady_tls_abandon(struct ssl_st *tls);

#endif
