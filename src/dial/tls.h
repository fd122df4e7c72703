/* A TLS session of a client, made by OpenSSL, over anything that carries bytes: a socket, or
 * another TLS session.
 *
 * A peer cannot hold up a turn of the loop, since three numbers are bounded by constants in
 * tls_carrier.c: the bytes that the peer may send in a handshake, the records that one call looks
 * at, and the messages without data that may arrive on an open session. */
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
 * `keylog` says whether the secrets of the sessions are written to a file. */
void steady_tls_observe(struct ssl_ctx_st *context, bool keylog);

/* Makes a session. `host` is the name or address that the certificate has to be for. A name is also
 * sent to the server, but a literal address is not (SNI, RFC 6066 section 3). Without `verify`,
 * every certificate is accepted that the context's pins allow. When a session was kept from an
 * earlier connection to that host and port, the new session offers to resume it. The session reads
 * and writes by `calls`, with `carrier` as their first argument. Returns NULL when memory is out.
 */
struct steady_tls *steady_tls_new(struct ssl_ctx_st *context, const char *host, uint16_t port,
                                  bool verify, const struct steady_carrier *calls, void *carrier);

/* Goes on with the handshake. Returns 1 when it is done, STEADY_WAIT when it waits for the peer or
 * the carrier, or STEADY_BROKEN when it has failed. */
ptrdiff_t steady_tls_handshake(struct steady_tls *tls);

/* These functions return the number of bytes that were read or written, STEADY_WAIT, STEADY_EOF, or
 * STEADY_BROKEN. A write may take only a part of the bytes. A read takes whole records while there
 * is room for the largest one, so its `size` must be at least 16 KiB. */
ptrdiff_t steady_tls_read(struct steady_tls *tls, uint8_t *bytes, size_t size);
ptrdiff_t steady_tls_write(struct steady_tls *tls, const uint8_t *bytes, size_t size);

/* Returns whether there may be something to read even when the carrier has nothing. */
bool steady_tls_has_more(const struct steady_tls *tls);

/* Returns whether the handshake waits until the carrier takes bytes. Otherwise it waits for bytes
 * of the peer. */
bool steady_tls_wants_write(const struct steady_tls *tls);

/* Writes a text with the session's version and cipher, and about the certificate. The handshake has
 * to be done. */
void steady_tls_describe(const struct steady_tls *tls, char *text, size_t size);

/* Notes why the session has failed or ended, if that is known. */
void steady_tls_explain(const struct steady_tls *tls, struct steady_cause *cause);

/* Frees the session, and tells the peer that it ends, if that is possible at once. NULL is allowed.
 */
void steady_tls_free(struct steady_tls *tls);

#endif
