#include "tls.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void extend(X509 *certificate, int name, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, name, value);
    check(extension && X509_add_ext(certificate, extension, -1), "X509V3_EXT_conf_nid");
    X509_EXTENSION_free(extension);
}

/* Its own authority, for a day. */
static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    check(certificate, "X509_new");
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, NID_subject_alt_name, "DNS:localhost,DNS:server.test,IP:127.0.0.1");
    check(X509_sign(certificate, key, EVP_sha256()) > 0, "X509_sign");
    return certificate;
}

SSL_CTX *tls_context(const char *certificate_file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    check(context && key, "OpenSSL");
    X509 *certificate = self_signed(key);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    check(SSL_CTX_use_certificate(context, certificate) == 1, "SSL_CTX_use_certificate");
    check(SSL_CTX_use_PrivateKey(context, key) == 1, "SSL_CTX_use_PrivateKey");
    FILE *file = fopen(certificate_file, "w");
    check(file && PEM_write_X509(file, certificate), certificate_file);
    fclose(file);
    return context;
}
