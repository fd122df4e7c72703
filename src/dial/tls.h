/* A TLS session of a client, by OpenSSL, over anything that carries bytes: a socket, or another TLS
 * session.
 *
 * A peer cannot hold a turn of the loop, since three things are bounded (by constants in
 * tls_carrier.c): how many bytes it may send in a handshake, how many records one call looks at,
 * and how many messages without data may come on an open session. */
#ifndef STEADY_DIAL_TLS_H
#define STEADY_DIAL_TLS_H

#include "dial/carrier.h"
#include "dial/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct steady_tls;

/* Prepares a context from which sessions are made. The context also needs steady_tls_shared_attach.
 * keylog: whether its secrets are written to a file. */
void steady_tls_observe(struct ssl_ctx_st *context, bool keylog);

/* host: what the certificate has to be for, and what the server is told (SNI, RFC 6066 section 3:
 * not where it is a literal address). Without verify any certificate will do that the context's
 * pins allow. A session that was kept from an earlier connection to that host and port is offered.
 * NULL: out of memory.
 */
struct steady_tls *steady_tls_new(struct ssl_ctx_st *context, const char *host, uint16_t port,
                                  bool verify, const struct steady_carrier *calls, void *carrier);

/* Goes on with the handshake. Returns 1 when it is done, STEADY_WAIT, or STEADY_BROKEN. */
ptrdiff_t steady_tls_handshake(struct steady_tls *tls);

/* Return the number of bytes that were read or written, or STEADY_WAIT, STEADY_EOF, STEADY_BROKEN.
 * Reading takes whole records as long as there is room for the largest: size must be at least 16
 * KiB. */
ptrdiff_t steady_tls_read(struct steady_tls *tls, uint8_t *bytes, size_t size);
ptrdiff_t steady_tls_write(struct steady_tls *tls, const uint8_t *bytes, size_t size);

/* Returns whether there may be something to read even if the carrier has nothing. */
bool steady_tls_has_more(const struct steady_tls *tls);

/* Returns whether the handshake waits until the carrier takes bytes. Otherwise it waits for bytes
 * to come. */
bool steady_tls_wants_write(const struct steady_tls *tls);

/* Writes the version, the cipher, and the name in the certificate. The handshake has to be done. */
void steady_tls_describe(const struct steady_tls *tls, char *text, size_t size);

/* Notes why the session has failed or ended, if that is known. */
void steady_tls_explain(const struct steady_tls *tls, struct steady_cause *cause);

/* Frees the session, and tells the peer that it ends if that is possible at once. NULL is fine. */
void steady_tls_free(struct steady_tls *tls);

#endif
