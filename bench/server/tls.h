/* The server's certificate, which it makes itself. */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <openssl/ssl.h>

/* A context with a new certificate, which is written to the file for clients to trust. */
SSL_CTX *tls_context(const char *certificate_file);

#endif
