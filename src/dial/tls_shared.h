/* What belongs to an SSL_CTX of ours beside what OpenSSL keeps in it, and lives as long: sessions
 * hold their SSL_CTX, so all of it is there while one of them is. */
#ifndef STEADY_DIAL_TLS_SHARED_H
#define STEADY_DIAL_TLS_SHARED_H

#include "dial/pin.h"
#include "dial/sessions.h"

#include <stdbool.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct steady_tls_shared {
    struct steady_pins pins;
    struct steady_sessions sessions;
    int keylog; /* -1: none */
};

/* Gives the context one, which is freed with it. NULL: out of memory. */
struct steady_tls_shared *steady_tls_shared_attach(struct ssl_ctx_st *context);

/* The one that was attached. */
struct steady_tls_shared *steady_tls_shared_of(const struct ssl_ctx_st *context);

#endif
