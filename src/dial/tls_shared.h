/* The data that this library adds to an SSL_CTX. They live as long as the SSL_CTX, which lives as
 * long as any session that was made from it. */
#ifndef STEADY_DIAL_TLS_SHARED_H
#define STEADY_DIAL_TLS_SHARED_H

#include "dial/pin.h"
#include "dial/sessions.h"

#include <stdbool.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct steady_tls_shared {
    struct steady_pins pins;
    struct steady_sessions sessions;
    int keylog; /* a descriptor, or -1 */
};

/* Makes the data of a context, and attaches them to it. They are freed with the context. Returns
 * NULL when memory is out. */
struct steady_tls_shared *steady_tls_shared_attach(struct ssl_ctx_st *context);

/* Returns the data that were attached. */
struct steady_tls_shared *steady_tls_shared_of(const struct ssl_ctx_st *context);

#endif
