/* A context is what TLS sessions with the same options have in common, such as the authorities and
 * the client's certificate and key. A loop has one context for each distinct set of options. Its
 * clients share the context, which counts them. */
#ifndef STEADY_DIAL_TLS_CONTEXT_H
#define STEADY_DIAL_TLS_CONTEXT_H

#include "core/options.h"
#include "loop/loop.h"

#include <stddef.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct steady_tls_context;

/* Returns a context for these options, which the caller has to release. A context that exists is
 * used again, unless one of its files has changed since. While such a file is missing or cannot be
 * used, the old context is still used. Returns NULL, with a text of at most `size` bytes in
 * `message`, when there is no old context and a file cannot be read or is wrong, or when memory is
 * out. */
struct steady_tls_context *steady_tls_context_get(struct steady_loop *loop,
                                                  const struct steady_tls_options *options,
                                                  char *message, size_t size);
struct ssl_ctx_st *steady_tls_context_openssl(const struct steady_tls_context *context);

/* Releases a context. The last release frees it, but sessions may outlive it. NULL is allowed. */
void steady_tls_context_release(struct steady_tls_context *context);

#endif
