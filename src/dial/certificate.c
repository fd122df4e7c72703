#include "dial/certificate.h"

#include "core/ascii.h"

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

static size_t add(char *text, size_t size, size_t at, const char *more, int length)
{
    if (at + 1 >= size)
        return at;
    int n = snprintf(text + at, size - at, "%.*s", length, more);
    return n < 0 ? at : at + (size_t)n < size ? at + (size_t)n : size - 1;
}

/* Writes the names that a certificate is for: "a.example", "b.example". Control characters, which a
 * name may have, are shown as '?'. */
static void list_names(X509 *certificate, char *names, size_t size)
{
    size_t at = 0;
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        char address[64];
        const char *text = address;
        int length;
        if (name->type == GEN_DNS) {
            text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
            length = ASN1_STRING_length(name->d.dNSName);
        } else if (name->type == GEN_IPADD) {
            const ASN1_OCTET_STRING *ip = name->d.iPAddress;
            int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;
            if (family == AF_INET6 && ASN1_STRING_length(ip) != 16)
                continue;
            uv_inet_ntop(family, ASN1_STRING_get0_data(ip), address, sizeof address);
            length = (int)strlen(address);
        } else {
            continue;
        }
        at = add(names, size, at, at ? ", \"" : "\"", 3);
        at = add(names, size, at, text, length);
        at = add(names, size, at, "\"", 1);
    }
    GENERAL_NAMES_free(list);
    char common[256];
    if (!at && X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                                         sizeof common) > 0)
        snprintf(names, size, "\"%s\"", common);
    for (char *c = names; *c; c++)
        if (steady_is_control(*c))
            *c = '?';
}

static void explain_name(X509 *certificate, const char *host, char *message, size_t size)
{
    char names[512] = "";
    list_names(certificate, names, sizeof names);
    snprintf(message, size, "certificate is for %s, not for \"%s\"",
             *names ? names : "no name at all", host);
}

static void write_date(const ASN1_TIME *time, char *date, size_t size)
{
    struct tm tm = {0};
    snprintf(date, size, "an unreadable date");
    if (ASN1_TIME_to_tm(time, &tm))
        strftime(date, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void explain_date(X509 *certificate, bool expired, char *message, size_t size)
{
    char date[32];
    write_date(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), date,
               sizeof date);
    snprintf(message, size,
             expired ? "certificate has expired, on %s" : "certificate is not valid before %s",
             date);
}

void steady_certificate_explain(struct x509_store_ctx_st *verification, const char *host,
                                char *message, size_t size)
{
    X509 *certificate = X509_STORE_CTX_get_current_cert(verification);
    int error = X509_STORE_CTX_get_error(verification);
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        explain_name(certificate, host, message, size);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        explain_date(certificate, error == X509_V_ERR_CERT_HAS_EXPIRED, message, size);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(message, size, "certificate is self-signed; to trust it, give it as tls.ca_file");
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(message, size,
                 "certificate is from an unknown authority; to trust it, give it as tls.ca_file");
        break;
    default:
        snprintf(message, size, "certificate was refused: %s",
                 X509_verify_cert_error_string(error));
    }
}

void steady_certificate_describe(struct x509_st *certificate, char *text, size_t size)
{
    char names[384] = "", issuer[128] = "an issuer without a name", date[32];
    list_names(certificate, names, sizeof names);
    X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, issuer,
                              sizeof issuer);
    write_date(X509_get0_notAfter(certificate), date, sizeof date);
    snprintf(text, size, "certificate for %s by \"%s\", good until %s",
             *names ? names : "no name at all", issuer, date);
}
