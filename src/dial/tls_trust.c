#include "dial/tls_trust.h"

#include "dial/certificate.h"
#include "dial/tls_carrier.h"
#include "dial/tls_session.h"
#include "dial/tls_shared.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

/* The number of bits that a server's public key may have. The time to check a signature grows with
 * the square of the key's size. */
#define KEY_BITS_MAX 8192

static void refuse(struct steady_tls *tls, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Notes why the certificate is refused. The first reason counts. When memory is out, the
 * certificate is refused without a reason. */
static void refuse(struct steady_tls *tls, const char *format, ...)
{
    char message[768];
    va_list arguments;
    if (tls->refusal)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    tls->refusal = strdup(message);
}

static struct steady_tls *of_verification(const X509_STORE_CTX *verification)
{
    return steady_tls_of(X509_STORE_CTX_get_ex_data((X509_STORE_CTX *)verification,
                                                    SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* OpenSSL's verify callback. Refuses a certificate that OpenSSL has found not to be good. */
static int verify(int good, X509_STORE_CTX *verification)
{
    struct steady_tls *tls = of_verification(verification);
    char message[768];
    if (good || tls->refusal)
        return good;
    steady_certificate_explain(verification, tls->host, message, sizeof message);
    refuse(tls, "%s", message);
    return 0;
}

static bool has_fast_key(struct steady_tls *tls, X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    int bits = key ? EVP_PKEY_bits(key) : 0;
    if (bits <= KEY_BITS_MAX)
        return true;
    refuse(tls, "certificate has a key of %d bits, and at most %d are accepted", bits,
           KEY_BITS_MAX);
    return false;
}

static bool is_pinned(struct steady_tls *tls, const X509 *certificate)
{
    char found[STEADY_PIN_TEXT_SIZE];
    const struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(tls->openssl));
    if (steady_pins_allow(&shared->pins, certificate, found))
        return true;
    refuse(tls, "certificate has another public key than tls.pin allows: \"%s\"", found);
    return false;
}

int steady_tls_judge(struct x509_store_ctx_st *verification, void *unused)
{
    struct steady_tls *tls = of_verification(verification);
    X509 *certificate = X509_STORE_CTX_get0_cert(verification);
    (void)unused;
    if (has_fast_key(tls, certificate) && (!tls->verify || X509_verify_cert(verification) == 1) &&
        is_pinned(tls, certificate))
        return 1;
    if (X509_STORE_CTX_get_error(verification) == X509_V_OK)
        X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static bool is_literal(const char *host)
{
    unsigned char address[16];
    return uv_inet_pton(AF_INET, host, address) == 0 || uv_inet_pton(AF_INET6, host, address) == 0;
}

/* Names are compared as RFC 6125 says: with the certificate's alternative names, never with its
 * common name, and a wildcard stands for a whole label. */
bool steady_tls_expect(struct steady_tls *tls)
{
    X509_VERIFY_PARAM *expected = SSL_get0_param(tls->openssl);
    bool literal = is_literal(tls->host);
    if (!literal && SSL_set_tlsext_host_name(tls->openssl, tls->host) != 1)
        return false;
    SSL_set_verify(tls->openssl, SSL_VERIFY_PEER, verify);
    if (!tls->verify)
        return true;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return literal ? X509_VERIFY_PARAM_set1_ip_asc(expected, tls->host) == 1
                   : X509_VERIFY_PARAM_set1_host(expected, tls->host, 0) == 1;
}
