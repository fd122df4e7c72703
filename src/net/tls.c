#include "net/tls.h"

#include "core/ascii.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

static const char *last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    return code ? ERR_reason_error_string(code) : NULL;
}

/* The last session that failed in this thread, and why. libwebsockets empties OpenSSL's queue of
 * errors before it tells us of the end, so it is noted as it happens. */
static _Thread_local struct {
    const SSL *session;
    char reason[128];
} failure;

static void note(const SSL *session, const char *format, const char *reason)
{
    if (failure.session == session || !reason)
        return; /* the first cause counts */
    failure.session = session;
    snprintf(failure.reason, sizeof failure.reason, format, reason);
}

static bool is_eof(unsigned long error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING /* since OpenSSL 3 */
    return ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
    (void)error;
    return false;
#endif
}

/* OpenSSL's info callback: where is what happens, value an alert or a result. */
static void watch(const SSL *session, int where, int value)
{
    unsigned long error = ERR_peek_last_error();
    if (where & SSL_CB_HANDSHAKE_START) {
        if (failure.session == session)
            failure.session = NULL;
    } else if (where & SSL_CB_ALERT) {
        if (where & SSL_CB_READ && value >> 8 == SSL3_AL_FATAL)
            note(session, "the server says \"%s\"",
                 ERR_reason_error_string(
                     ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + (value & 0xFF))));
    } else if (where & SSL_CB_EXIT && value <= 0 && error && !is_eof(error)) {
        bool foreign = ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
                       ERR_GET_REASON(error) == SSL_R_PACKET_LENGTH_TOO_LONG;
        note(session, foreign ? "what the server sent is not TLS (%s)" : "%s",
             ERR_reason_error_string(error));
    }
}

const char *steady_tls_failure(struct ssl_st *tls)
{
    char byte;
    if (tls && failure.session != tls) {
        ERR_clear_error();
        SSL_read(tls, &byte, 1); /* `watch` notes an alert that is there, before a reset perhaps */
    }
    return tls && failure.session == tls ? failure.reason : NULL;
}

/* OpenSSL says "no such file" in its own way; the system's way is known to more people. */
static const char *file_problem(const char *file)
{
    FILE *f = fopen(file, "r");
    if (!f)
        return strerror(errno);
    fclose(f);
    const char *reason = last_error();
    return reason ? reason : "not in PEM format";
}

/* OpenSSL leaves out a file that it cannot open. That must not be for want of a descriptor, since
 * the context is used again. */
static bool use_system_authorities(SSL_CTX *tls, char *message, size_t size)
{
    const char *file = getenv(X509_get_default_cert_file_env());
    FILE *f = fopen(file ? file : X509_get_default_cert_file(), "r");
    if (!f && (errno == EMFILE || errno == ENFILE)) {
        snprintf(message, size, "the system's authorities cannot be read: %s", strerror(errno));
        return false;
    }
    if (f)
        fclose(f);
    return SSL_CTX_set_default_verify_paths(tls);
}

static bool use_authorities(SSL_CTX *tls, const struct steady_tls_options *options, char *message,
                            size_t size)
{
    if (!options->ca_file)
        return use_system_authorities(tls, message, size);
    if (SSL_CTX_load_verify_locations(tls, options->ca_file, NULL) == 1)
        return true;
    snprintf(message, size, "tls.ca_file \"%s\" cannot be used: %s", options->ca_file,
             file_problem(options->ca_file));
    return false;
}

/* OpenSSL would ask on the terminal. */
static int give_password(char *out, int size, int writing, void *password)
{
    (void)writing;
    int length = password ? snprintf(out, (size_t)size, "%s", (char *)password) : 0;
    return length < size ? length : 0;
}

static bool use_certificate(SSL_CTX *tls, const struct steady_tls_options *options, char *message,
                            size_t size)
{
    if (!options->cert_file)
        return true;
    SSL_CTX_set_default_passwd_cb(tls, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(tls, options->key_password);
    if (SSL_CTX_use_certificate_chain_file(tls, options->cert_file) != 1)
        snprintf(message, size, "tls.cert_file \"%s\" cannot be used: %s", options->cert_file,
                 file_problem(options->cert_file));
    else if (SSL_CTX_use_PrivateKey_file(tls, options->key_file, SSL_FILETYPE_PEM) != 1)
        snprintf(message, size, "tls.key_file \"%s\" cannot be used%s: %s", options->key_file,
                 options->key_password ? " with this tls.key_password" : "",
                 file_problem(options->key_file));
    else
        return true;
    return false;
}

struct ssl_ctx_st *steady_tls_new(const struct steady_tls_options *options, char *message,
                                  size_t size)
{
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls) {
        snprintf(message, size, "TLS cannot be used: %s", last_error());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_info_callback(tls, watch);
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (use_authorities(tls, options, message, size) &&
        use_certificate(tls, options, message, size))
        return tls;
    SSL_CTX_free(tls);
    return NULL;
}

void steady_tls_free(struct ssl_ctx_st *tls)
{
    SSL_CTX_free(tls);
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

/* ------------------------------------------------------------------------- an open session */

/* The library keeps sessions from 4.3 on, and looks up its connection when one comes: in TLS 1.3
 * that is after the handshake. */
void steady_tls_forget_library(struct ssl_ctx_st *tls)
{
    SSL_CTX_sess_set_new_cb(tls, NULL);
}

void steady_tls_keep(struct ssl_st *tls)
{
    SSL_up_ref(tls);
}

/* A BIO of ours. OpenSSL's own writes to a connection that was reset raise SIGPIPE, which ends a
 * process that does not ignore it. The socket is not the BIO's to close. */
static int bio_socket(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int send_quietly(BIO *bio, const char *bytes, int size)
{
    BIO_clear_retry_flags(bio);
    int sent = (int)send(bio_socket(bio), bytes, (size_t)size, MSG_NOSIGNAL);
    if (sent <= 0 && BIO_sock_should_retry(sent))
        BIO_set_retry_write(bio);
    return sent;
}

static int receive(BIO *bio, char *bytes, int size)
{
    BIO_clear_retry_flags(bio);
    int received = (int)recv(bio_socket(bio), bytes, (size_t)size, 0);
    if (received < 0 && BIO_sock_should_retry(received))
        BIO_set_retry_read(bio);
    else if (received == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return received;
}

static long control_socket(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    switch (command) {
    case BIO_C_SET_FD:
        BIO_set_data(bio, (void *)(intptr_t) * (int *)pointer);
        BIO_set_init(bio, 1);
        return 1;
    case BIO_C_GET_FD:
        if (pointer)
            *(int *)pointer = bio_socket(bio);
        return bio_socket(bio);
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_CTRL_FLUSH:
        return 1;
    default:
        return 0;
    }
}

static BIO_METHOD *quiet_socket; /* for the whole process, NULL: out of memory */

static void make_quiet_socket(void)
{
    quiet_socket = BIO_meth_new(BIO_TYPE_SOCKET, "steadysocket");
    if (!quiet_socket)
        return;
    BIO_meth_set_write(quiet_socket, send_quietly);
    BIO_meth_set_read(quiet_socket, receive);
    BIO_meth_set_ctrl(quiet_socket, control_socket);
}

/* With the module, which Lua may unload. */
__attribute__((destructor)) static void free_quiet_socket(void)
{
    BIO_meth_free(quiet_socket);
}

/* No renegotiation: it would verify the certificate once more, by the library's callback. */
bool steady_tls_take(struct ssl_st *tls, int socket)
{
    SSL_set_options(tls, SSL_OP_NO_RENEGOTIATION);
    SSL_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_read_ahead(tls, 1);
    SSL_free_buffers(tls); /* of the handshake; 16 KiB */
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_quiet_socket);
    BIO *bio = quiet_socket ? BIO_new(quiet_socket) : NULL;
    if (!bio)
        return false;
    BIO_set_fd(bio, socket, BIO_NOCLOSE);
    SSL_set_bio(tls, bio, bio);
    return true;
}

static bool waits(SSL *tls, int result)
{
    int error = SSL_get_error(tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Record by record, while the next one fits as a whole. */
ptrdiff_t steady_tls_read(struct ssl_st *tls, uint8_t *buffer, size_t size, bool *again)
{
    size_t total = 0;
    ERR_clear_error();
    *again = true;
    while (size - total >= SSL3_RT_MAX_PLAIN_LENGTH) {
        int n = SSL_read(tls, buffer + total, (int)(size - total));
        if (n <= 0) {
            *again = !waits(tls, n);
            /* 16 KiB, which reading ahead keeps; not while they hold something. */
            SSL_free_buffers(tls);
            return total > 0 ? (ptrdiff_t)total : *again ? -1 : 0;
        }
        total += (size_t)n;
    }
    return (ptrdiff_t)total;
}

ptrdiff_t steady_tls_write(struct ssl_st *tls, const uint8_t *bytes, size_t size)
{
    size_t total = 0;
    ERR_clear_error();
    while (total < size) {
        size_t left = size - total;
        int n = SSL_write(tls, bytes + total, left < INT_MAX ? (int)left : INT_MAX);
        if (n <= 0)
            return waits(tls, n) ? (ptrdiff_t)total : -1;
        total += (size_t)n;
    }
    return (ptrdiff_t)total;
}

void steady_tls_end(struct ssl_st *tls)
{
    if (!tls)
        return;
    if (SSL_is_init_finished(tls))
        SSL_shutdown(tls);
    ERR_clear_error();
    SSL_free(tls);
}

void steady_tls_abandon(struct ssl_st *tls)
{
    SSL_free(tls);
}
