/* What TLS sessions with the same options have in common: authorities, the client's certificate and
 * key. There is one for each distinct set of options of a loop, counted and shared by its clients.
 */
#ifndef STEADY_DIAL_TLS_CONTEXT_H
#define STEADY_DIAL_TLS_CONTEXT_H

#include "core/options.h"
#include "loop/loop.h"

#include <stddef.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct steady_tls_context;

/* A context for these options, counted. One that is there is used again, unless a file that it was
 * made from has changed on the disk since. While such a file is gone, or cannot be used, the old
 * context serves on. NULL with a text in message when there is no old one and a file cannot be read
 * or is not what it should be, or memory is short. */
struct steady_tls_context *steady_tls_context_get(struct steady_loop *loop,
                                                  const struct steady_tls_options *options,
                                                  char *message, size_t size);
struct ssl_ctx_st *steady_tls_context_openssl(const struct steady_tls_context *context);

/* Gives it back: the last one that does frees it. Sessions may outlive it. NULL is fine. */
void steady_tls_context_release(struct steady_tls_context *context);

#endif
