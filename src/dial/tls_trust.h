/* Decides whether a server may be trusted: by its certificate, its name, and its key. */
#ifndef STEADY_DIAL_TLS_TRUST_H
#define STEADY_DIAL_TLS_TRUST_H

#include <stdbool.h>

struct steady_tls;
struct x509_store_ctx_st; /* OpenSSL's X509_STORE_CTX */

/* Tells OpenSSL which name the session expects. Has to be called before the handshake. Returns
 * false when memory is out. */
bool steady_tls_expect(struct steady_tls *tls);

/* OpenSSL calls this function to judge a server's certificate. Returns 1 when the certificate is
 * accepted, otherwise 0. The pins count even without `verify`. */
int steady_tls_judge(struct x509_store_ctx_st *verification, void *unused);

#endif
