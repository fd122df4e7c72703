/* A TLS session of a client, by OpenSSL, over anything that carries bytes: a socket, or another TLS
 * session.
 *
 * What a peer may do with it is bounded (the constants are in tls_carrier.c): how much it sends in
 * a handshake, how many records a call looks at, and how many messages that carry no data come on
 * an open session. So no peer can hold a turn of the loop, and each call returns soon. */
#ifndef STEADY_DIAL_TLS_H
#define STEADY_DIAL_TLS_H

#include "dial/carrier.h"
#include "dial/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct steady_tls;

/* Of each context that sessions are made from, which also needs steady_tls_shared_attach. keylog:
 * whether that has one. */
void steady_tls_observe(struct ssl_ctx_st *context, bool keylog);

/* host: what the certificate has to be for, and what the server is told (SNI, RFC 6066 section 3:
 * not where it is a literal address). Without verify any certificate will do that the context's
 * pins allow. A session that was kept from an earlier connection to that host and port is offered.
 * NULL: out of memory.
 */
struct steady_tls *steady_tls_new(struct ssl_ctx_st *context, const char *host, uint16_t port,
                                  bool verify, const struct steady_carrier *calls, void *carrier);

/* Goes on with the handshake: 1 when it is done, STEADY_WAIT, or STEADY_BROKEN. */
ptrdiff_t steady_tls_handshake(struct steady_tls *tls);

/* Bytes that went, or STEADY_WAIT, STEADY_EOF, STEADY_BROKEN. Reading takes record by record, while
 * the next one fits as a whole: size must be at least 16 KiB. */
ptrdiff_t steady_tls_read(struct steady_tls *tls, uint8_t *bytes, size_t size);
ptrdiff_t steady_tls_write(struct steady_tls *tls, const uint8_t *bytes, size_t size);

/* Whether there may be more to read than what the carrier tells of. */
bool steady_tls_has_more(const struct steady_tls *tls);

/* Whether the handshake waits until the carrier takes bytes, and not for bytes to come. */
bool steady_tls_wants_write(const struct steady_tls *tls);

/* Once the handshake is done: writes the version, the cipher, and whose certificate it is. */
void steady_tls_describe(const struct steady_tls *tls, char *text, size_t size);

/* Once the session has failed or ended: notes why, if that is known. */
void steady_tls_explain(const struct steady_tls *tls, struct steady_cause *cause);

/* Tells the peer, if that can be done at once, and frees the session; NULL is fine. */
void steady_tls_free(struct steady_tls *tls);

#endif
