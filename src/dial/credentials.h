/* Whom a client trusts and who it says it is: authorities, the client's certificate and its key,
 * each from a file or a text, in PEM. */
#ifndef STEADY_DIAL_CREDENTIALS_H
#define STEADY_DIAL_CREDENTIALS_H

#include "core/options.h"

#include <stdbool.h>
#include <stddef.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* The file that OpenSSL reads the system's authorities from. */
const char *steady_credentials_system(void);

/* Loads all that the options name into the context. False with a text in message when something
 * cannot be read or is not what it should be. */
bool steady_credentials_load(struct ssl_ctx_st *context, const struct steady_tls_options *options,
                             char *message, size_t size);

#endif
