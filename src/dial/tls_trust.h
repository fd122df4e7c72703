/* Whether a server is the one that was asked for: its certificate, its name, and its key. */
#ifndef STEADY_DIAL_TLS_TRUST_H
#define STEADY_DIAL_TLS_TRUST_H

#include <stdbool.h>

struct steady_tls;
struct x509_store_ctx_st; /* OpenSSL's X509_STORE_CTX */

/* Before the handshake: says whom the session expects. False: out of memory. */
bool steady_tls_expect(struct steady_tls *tls);

/* OpenSSL's function that judges a server's certificate: 1 when it will do. A pin counts without
 * `verify`, too. */
int steady_tls_judge(struct x509_store_ctx_st *verification, void *unused);

#endif
