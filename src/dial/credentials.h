/* Loads the authorities that a client trusts, and the client's own certificate and key. Each of
 * them is in PEM, and comes from a file or a text. */
#ifndef STEADY_DIAL_CREDENTIALS_H
#define STEADY_DIAL_CREDENTIALS_H

#include "core/options.h"

#include <stdbool.h>
#include <stddef.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* Returns the file from which OpenSSL reads the system's authorities. */
const char *steady_credentials_system(void);

/* Loads everything that the options name into the context. Returns false, with a text of at most
 * `size` bytes in `message`, when something cannot be read or is wrong. */
bool steady_credentials_load(struct ssl_ctx_st *context, const struct steady_tls_options *options,
                             char *message, size_t size);

#endif
