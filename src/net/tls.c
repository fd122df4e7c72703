#include "net/tls.h"

#include "net/connection.h"

#include <errno.h>
#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct steady_vhost {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    struct steady_vhost *next;
    struct lws_vhost *lws;
    SSL_CTX *tls;  /* NULL: a vhost without TLS */
    char *ca_file; /* NULL: the system's authorities */
    size_t users;
};

struct lws_vhost *steady_vhost_lws(const struct steady_vhost *vhost)
{
    return vhost->lws;
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static struct steady_vhost *find(struct steady_loop *loop, const struct steady_tls_options *tls)
{
    struct steady_vhost *vhost = loop->vhosts;
    while (vhost && !(!vhost->tls == !tls && (!tls || same(vhost->ca_file, tls->ca_file))))
        vhost = vhost->next;
    return vhost;
}

const char *steady_tls_last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    return code ? ERR_reason_error_string(code) : NULL;
}

/* OpenSSL says "no such file" in its own way; the system's way is known to more people. */
static const char *file_problem(const char *file)
{
    FILE *f = fopen(file, "r");
    if (!f)
        return strerror(errno);
    fclose(f);
    const char *reason = steady_tls_last_error();
    return reason ? reason : "not in PEM format";
}

static SSL_CTX *make_tls(const struct steady_tls_options *options, char *message, size_t size)
{
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls) {
        snprintf(message, size, "TLS cannot be used: %s", steady_tls_last_error());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (!options->ca_file) {
        SSL_CTX_set_default_verify_paths(tls);
    } else if (SSL_CTX_load_verify_locations(tls, options->ca_file, NULL) != 1) {
        snprintf(message, size, "tls.ca_file \"%s\" cannot be used: %s", options->ca_file,
                 file_problem(options->ca_file));
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}

static void free_vhost(struct steady_vhost *vhost)
{
    SSL_CTX_free(vhost->tls);
    free(vhost->ca_file);
    free(vhost);
}

static bool fill(struct steady_loop *loop, struct steady_vhost *vhost,
                 const struct steady_tls_options *tls, char *message, size_t size)
{
    if (tls && !(vhost->tls = make_tls(tls, message, size)))
        return false;
    if (tls && tls->ca_file && !(vhost->ca_file = strdup(tls->ca_file)))
        return false;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = steady_connection_protocols(),
        .options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .provided_client_ssl_ctx = vhost->tls,
        .http_proxy_address = "", /* or the library takes one from the environment */
        .vhost_name = "steadysocket",
        .timeout_secs = 24 * 60 * 60,
        .connect_timeout_secs = 24 * 60 * 60,
    };
    vhost->lws = lws_create_vhost(loop->lws, &info);
    return vhost->lws != NULL;
}

/* libwebsockets wants a vhost destroyed outside its callbacks, and once its last connection is
 * gone. */
static void reap(struct steady_ready *ready)
{
    struct steady_vhost *vhost = (struct steady_vhost *)ready;
    if (vhost->users)
        return;
    struct steady_vhost **link = &vhost->loop->vhosts;
    while (*link != vhost)
        link = &(*link)->next;
    *link = vhost->next;
    lws_vhost_destroy(vhost->lws);
    free_vhost(vhost);
}

struct steady_vhost *steady_vhost_get(struct steady_loop *loop,
                                      const struct steady_tls_options *tls, char *message,
                                      size_t size)
{
    struct steady_vhost *vhost = find(loop, tls);
    if (vhost)
        return steady_vhost_share(vhost);
    snprintf(message, size, "out of memory");
    vhost = calloc(1, sizeof *vhost);
    if (!vhost)
        return NULL;
    if (!fill(loop, vhost, tls, message, size)) {
        free_vhost(vhost);
        return NULL;
    }
    vhost->ready.run = reap;
    vhost->loop = loop;
    vhost->next = loop->vhosts;
    loop->vhosts = vhost;
    return steady_vhost_share(vhost);
}

struct steady_vhost *steady_vhost_share(struct steady_vhost *vhost)
{
    vhost->users++;
    return vhost;
}

void steady_vhost_release(struct steady_vhost *vhost)
{
    if (vhost && !--vhost->users)
        steady_ready_add(vhost->loop, &vhost->ready);
}

void steady_vhosts_free(struct steady_loop *loop)
{
    while (loop->vhosts) {
        struct steady_vhost *vhost = loop->vhosts;
        loop->vhosts = vhost->next;
        free_vhost(vhost);
    }
}

/* ------------------------------------------------------------------------- explanations */

static size_t add(char *text, size_t size, size_t at, const char *more, int length)
{
    if (at + 1 >= size)
        return at;
    int n = snprintf(text + at, size - at, "%.*s", length, more);
    return n < 0 ? at : at + (size_t)n < size ? at + (size_t)n : size - 1;
}

/* The names a certificate is for, as in: "a.example", "b.example". Control characters, which a name
 * may hold, are shown as '?'. */
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
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

static void explain_name(X509 *certificate, const char *host, char *message, size_t size)
{
    char names[512] = "";
    list_names(certificate, names, sizeof names);
    snprintf(message, size, "certificate is for %s, not for \"%s\"",
             *names ? names : "no name at all", host);
}

static void explain_date(X509 *certificate, bool expired, char *message, size_t size)
{
    struct tm tm = {0};
    char date[32] = "an unreadable date";
    const ASN1_TIME *time =
        expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate);
    if (ASN1_TIME_to_tm(time, &tm))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &tm);
    snprintf(message, size,
             expired ? "certificate has expired, on %s" : "certificate is not valid before %s",
             date);
}

void steady_tls_explain(void *verification, const char *host, char *message, size_t size)
{
    X509_STORE_CTX *context = verification;
    X509 *certificate = X509_STORE_CTX_get_current_cert(context);
    int error = X509_STORE_CTX_get_error(context);
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

void steady_tls_accept(void *verification)
{
    X509_STORE_CTX_set_error(verification, X509_V_OK);
}

bool steady_tls_check(struct ssl_st *tls, const char *host, char *message, size_t size)
{
    unsigned char address[16];
    X509 *certificate = tls ? SSL_get_peer_certificate(tls) : NULL;
    long result = certificate ? SSL_get_verify_result(tls) : X509_V_ERR_UNSPECIFIED;
    bool literal =
        uv_inet_pton(AF_INET, host, address) == 0 || uv_inet_pton(AF_INET6, host, address) == 0;
    bool fits = false;
    if (!certificate)
        snprintf(message, size, "the server has shown no certificate");
    else if (result != X509_V_OK)
        snprintf(message, size, "certificate was refused: %s",
                 X509_verify_cert_error_string(result));
    else if ((literal ? X509_check_ip_asc(certificate, host, 0)
                      : X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                                        NULL)) == 1)
        fits = true;
    else
        explain_name(certificate, host, message, size);
    X509_free(certificate);
    return fits;
}
