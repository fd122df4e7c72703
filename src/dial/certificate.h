/* Describes the certificate of a server, and explains what is wrong with it. */
#ifndef STEADY_DIAL_CERTIFICATE_H
#define STEADY_DIAL_CERTIFICATE_H

#include <stddef.h>

struct x509_st;           /* OpenSSL's X509: a certificate */
struct x509_store_ctx_st; /* OpenSSL's X509_STORE_CTX: a verification that has failed */

/* Writes a text that says why the certificate was refused. `host` is the name or address that the
 * certificate should be for. */
void steady_certificate_explain(struct x509_store_ctx_st *verification, const char *host,
                                char *message, size_t size);

/* Writes a text that says for whom a certificate is, who issued it, and when it expires. */
void steady_certificate_describe(struct x509_st *certificate, char *text, size_t size);

#endif
