#include "dial/tls.h"

#include "core/buffer.h"
#include "dial/certificate.h"
#include "dial/keylog.h"
#include "dial/tls_shared.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#define HANDSHAKE_MAX                                                                              \
    (512 * 1024) /* bytes from the server; a chain of certificates takes some 5 KiB */

/* OpenSSL asks twice for each record. A record that brings a KeyUpdate costs some 40 µs, one that
 * brings a byte of data some 2 µs. */
#define QUIET_READS_A_CALL 256  /* without data among them */
#define READS_A_CALL       4096 /* in all */

/* Messages of the server's that carry no data, on an open session: tickets, KeyUpdate,
 * HelloRequest. A server sends a few at its beginning, and one for many gigabytes later. */
#define MESSAGES_MAX        64
#define BYTES_FOR_A_MESSAGE (64 * 1024) /* of data: for each that came one more message may */

/* Of a server's public key. Checking one signature of 16,384 bits takes up to 25 ms. */
#define KEY_BITS_MAX 8192

#define INPUT_SIZE (32 * 1024) /* bytes that are read from the carrier at once */

enum state {
    HANDSHAKING,
    OPEN,
    ENDED, /* by the peer's close_notify, or by the carrier's end */
    FAILED,
};

struct steady_tls {
    SSL *openssl;
    enum state state;
    const struct steady_carrier *calls;
    void *carrier;
    struct steady_buffer input; /* read from the carrier, of which OpenSSL has taken some */
    size_t taken;               /* bytes of it */
    size_t reads, quiet_reads;  /* OpenSSL's, in the present call */
    bool has_more;
    bool carrier_ended;
    bool verify;  /* the certificate's authority, name and date */
    bool writing; /* OpenSSL has not got rid of all of the last write */
    bool offered; /* a session to resume */
    size_t handshake_bytes;
    size_t messages;     /* without data, on the open session */
    uint64_t data_bytes; /* that came */
    char *host;
    uint16_t port;
    char *refusal;   /* why the certificate was refused; NULL: it was not */
    char reason[96]; /* what else went wrong first; empty: nothing */
};

static void note(struct steady_tls *tls, const char *format, const char *reason)
{
    if (!*tls->reason && reason)
        snprintf(tls->reason, sizeof tls->reason, format, reason);
}

/* ------------------------------------------------------------------------- the carrier */

static bool may_send_more(struct steady_tls *tls)
{
    if (tls->state == HANDSHAKING && tls->handshake_bytes > HANDSHAKE_MAX)
        note(tls, "%s", "the server sends too much before its handshake is done");
    else if (tls->messages > MESSAGES_MAX + tls->data_bytes / BYTES_FOR_A_MESSAGE)
        note(tls, "%s", "the server sends too many messages that carry no data");
    else
        return true;
    return false;
}

/* Returns how many bytes are there for OpenSSL, or what the carrier said. */
static ptrdiff_t fetch(struct steady_tls *tls)
{
    struct steady_buffer *input = &tls->input;
    if (tls->taken < input->size)
        return (ptrdiff_t)(input->size - tls->taken);
    input->size = tls->taken = 0;
    if (!steady_buffer_reserve(input, INPUT_SIZE))
        return STEADY_BROKEN;
    ptrdiff_t size = tls->calls->read(tls->carrier, input->data, INPUT_SIZE);
    if (size <= 0)
        return size;
    input->size = (size_t)size;
    if (tls->state == HANDSHAKING)
        tls->handshake_bytes += (size_t)size;
    return size;
}

/* True: this call has looked at enough; what is left has its turn later. */
static bool has_read_enough(struct steady_tls *tls)
{
    return ++tls->reads > READS_A_CALL || ++tls->quiet_reads > QUIET_READS_A_CALL;
}

static int bio_read(BIO *bio, char *out, int size)
{
    struct steady_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!may_send_more(tls))
        return -1;
    if (has_read_enough(tls)) {
        tls->has_more = true;
        BIO_set_retry_read(bio);
        return -1;
    }
    ptrdiff_t there = fetch(tls);
    if (there == STEADY_WAIT)
        BIO_set_retry_read(bio);
    if (there <= 0) {
        tls->carrier_ended = there < 0;
        return there == STEADY_EOF ? 0 : -1;
    }
    int taken = there < size ? (int)there : size;
    memcpy(out, tls->input.data + tls->taken, (size_t)taken);
    tls->taken += (size_t)taken;
    return taken;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct steady_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ptrdiff_t sent = tls->calls->write(tls->carrier, (const uint8_t *)bytes, (size_t)size);
    if (sent == STEADY_WAIT)
        BIO_set_retry_write(bio);
    return sent > 0 ? (int)sent : -1;
}

static long bio_control(BIO *bio, int command, long number, void *argument)
{
    const struct steady_tls *tls = BIO_get_data(bio);
    (void)number;
    (void)argument;
    switch (command) {
    case BIO_CTRL_FLUSH: /* nothing is kept here */
        return 1;
    case BIO_CTRL_EOF:
        return tls && tls->carrier_ended;
    default:
        return 0;
    }
}

static BIO_METHOD *carrier_method; /* for the whole process; NULL: out of memory */

static void make_carrier_method(void)
{
    carrier_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "steadysocket");
    if (!carrier_method)
        return;
    BIO_meth_set_read(carrier_method, bio_read);
    BIO_meth_set_write(carrier_method, bio_write);
    BIO_meth_set_ctrl(carrier_method, bio_control);
}

/* With the module, which Lua may unload. */
__attribute__((destructor)) static void free_carrier_method(void)
{
    BIO_meth_free(carrier_method);
}

static BIO *new_carrier(struct steady_tls *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_carrier_method);
    BIO *bio = carrier_method ? BIO_new(carrier_method) : NULL;
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ------------------------------------------------------------------------- what goes wrong */

static bool is_eof(unsigned long error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING /* since OpenSSL 3 */
    return ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
    (void)error;
    return false;
#endif
}

/* What OpenSSL itself has found to be wrong. */
static void note_error(struct steady_tls *tls)
{
    unsigned long error = ERR_peek_last_error();
    if (!error || is_eof(error))
        return;
    bool foreign = ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
                   ERR_GET_REASON(error) == SSL_R_PACKET_LENGTH_TOO_LONG;
    note(tls, foreign && !tls->data_bytes ? "what the server sent is not TLS (%s)" : "%s",
         ERR_reason_error_string(error));
}

/* OpenSSL's info callback: where is what happens, value an alert. */
static void observe(const SSL *openssl, int where, int value)
{
    struct steady_tls *tls = SSL_get_app_data(openssl);
    if (where & SSL_CB_ALERT && where & SSL_CB_READ && value >> 8 == SSL3_AL_FATAL)
        note(tls, "the server says \"%s\"",
             ERR_reason_error_string(
                 ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + (value & 0xFF))));
}

/* OpenSSL's message callback. */
static void count_message(int written, int version, int type, const void *bytes, size_t size,
                          SSL *openssl, void *unused)
{
    struct steady_tls *tls = SSL_get_app_data(openssl);
    (void)version;
    (void)bytes;
    (void)size;
    (void)unused;
    if (!written && type == SSL3_RT_HANDSHAKE && tls->state == OPEN)
        tls->messages++;
}

static void hear_keys(const SSL *openssl, const char *line)
{
    steady_keylog_write(steady_tls_shared_of(SSL_get_SSL_CTX(openssl))->keylog, line);
}

void steady_tls_describe(const struct steady_tls *tls, char *text, size_t size)
{
    char certificate[768] = "no certificate";
    X509 *theirs = SSL_get_peer_certificate(tls->openssl);
    if (theirs)
        steady_certificate_describe(theirs, certificate, sizeof certificate);
    X509_free(theirs);
    snprintf(text, size, "TLS is up: %s, %s%s; %s; %s", SSL_get_version(tls->openssl),
             SSL_get_cipher_name(tls->openssl),
             SSL_session_reused(tls->openssl) ? ", a session resumed" : "", certificate,
             tls->verify ? "it was verified" : "it was not verified");
}

void steady_tls_explain(const struct steady_tls *tls, struct steady_cause *cause)
{
    const char *format =
        tls->data_bytes ? "the TLS session failed: %s" : "the TLS handshake failed: %s";
    if (tls->refusal)
        steady_cause_note(cause, STEADY_TLS, "%s", tls->refusal);
    else if (*tls->reason)
        steady_cause_note(cause, STEADY_TLS, format, tls->reason);
    else if (tls->state == HANDSHAKING || tls->state == FAILED)
        steady_cause_note(cause, STEADY_TLS,
                          "the TLS handshake failed: the server ended the connection");
}

/* ------------------------------------------------------------------------- whom to trust */

static void refuse(struct steady_tls *tls, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first reason counts. Without memory there is none, and it is refused all the same. */
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
    return SSL_get_app_data(X509_STORE_CTX_get_ex_data((X509_STORE_CTX *)verification,
                                                       SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* OpenSSL's verify callback. */
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

/* OpenSSL's function that judges a server's certificate. A pin counts without `verify`, too. */
static int judge(X509_STORE_CTX *verification, void *unused)
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

static void keep_session(SSL *openssl, SSL_SESSION *session)
{
    const struct steady_tls *tls = SSL_get_app_data(openssl);
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(openssl));
    steady_sessions_keep(&shared->sessions, tls->host, tls->port, session);
}

/* OpenSSL's callback for a session that can be resumed. 0: the reference stays OpenSSL's. A server
 * that has asked for the client's certificate sees it on each connection: it may be revoked by
 * then. */
static int hear_session(SSL *openssl, SSL_SESSION *session)
{
    if (!SSL_get_certificate(openssl))
        keep_session(openssl, session);
    return 0;
}

/* A session of TLS 1.2 that was resumed is as good as before, and the server gives no other. */
static void keep_old_session(const struct steady_tls *tls)
{
    if (SSL_session_reused(tls->openssl) && SSL_version(tls->openssl) < TLS1_3_VERSION)
        keep_session(tls->openssl, SSL_get_session(tls->openssl));
}

static void offer_session(struct steady_tls *tls)
{
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(tls->openssl));
    SSL_SESSION *session = steady_sessions_take(&shared->sessions, tls->host, tls->port);
    tls->offered = session && SSL_set_session(tls->openssl, session) == 1;
    SSL_SESSION_free(session);
}

/* A handshake that began with such an offer has failed, with an alert from one side or the other.
 */
static void give_up_sessions(const struct steady_tls *tls)
{
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(tls->openssl));
    if (tls->offered && *tls->reason)
        steady_sessions_give_up(&shared->sessions, tls->host, tls->port);
}

void steady_tls_observe(struct ssl_ctx_st *context, bool keylog)
{
    SSL_CTX_set_info_callback(context, observe);
    SSL_CTX_set_msg_callback(context, count_message);
    SSL_CTX_set_cert_verify_callback(context, judge, NULL);
    SSL_CTX_sess_set_new_cb(context, hear_session);
    if (keylog)
        SSL_CTX_set_keylog_callback(context, hear_keys);
}

/* ------------------------------------------------------------------------- a session */

static bool is_literal(const char *host)
{
    unsigned char address[16];
    return uv_inet_pton(AF_INET, host, address) == 0 || uv_inet_pton(AF_INET6, host, address) == 0;
}

/* Names are compared as RFC 6125 says: with the certificate's alternative names, never with its
 * common name, and a wildcard is a whole label. */
static bool expect_host(struct steady_tls *tls)
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

static bool set_up(struct steady_tls *tls, struct ssl_ctx_st *context, const char *host)
{
    static const unsigned char alpn[] = "\010http/1.1";
    BIO *bio = new_carrier(tls);
    tls->host = strdup(host);
    tls->openssl = SSL_new(context);
    if (!bio || !tls->host || !tls->openssl) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(tls->openssl, bio, bio);
    SSL_set_app_data(tls->openssl, tls);
    SSL_set_connect_state(tls->openssl);
    if (SSL_set_alpn_protos(tls->openssl, alpn, sizeof alpn - 1) != 0 || !expect_host(tls))
        return false;
    offer_session(tls);
    return true;
}

struct steady_tls *steady_tls_new(struct ssl_ctx_st *context, const char *host, uint16_t port,
                                  bool check, const struct steady_carrier *calls, void *carrier)
{
    struct steady_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->calls = calls;
    tls->carrier = carrier;
    tls->port = port;
    tls->verify = check;
    ERR_clear_error();
    if (set_up(tls, context, host))
        return tls;
    steady_tls_free(tls);
    return NULL;
}

void steady_tls_free(struct steady_tls *tls)
{
    if (!tls)
        return;
    if (tls->openssl && (tls->state == OPEN || tls->state == ENDED) && !tls->carrier_ended)
        SSL_shutdown(tls->openssl);
    ERR_clear_error();
    SSL_free(tls->openssl);
    steady_buffer_free(&tls->input);
    free(tls->host);
    free(tls->refusal);
    free(tls);
}

/* ------------------------------------------------------------------------- each call */

static void begin(struct steady_tls *tls)
{
    ERR_clear_error();
    tls->reads = tls->quiet_reads = 0;
    tls->has_more = false;
}

/* What OpenSSL's result means. */
static ptrdiff_t end(struct steady_tls *tls, int result)
{
    switch (SSL_get_error(tls->openssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STEADY_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        tls->state = ENDED;
        return STEADY_EOF;
    default:
        note_error(tls);
        tls->state = tls->state == OPEN && tls->carrier_ended ? ENDED : FAILED;
        return STEADY_BROKEN;
    }
}

static void let_go_of_input(struct steady_tls *tls)
{
    if (tls->taken == tls->input.size) {
        steady_buffer_free(&tls->input);
        tls->taken = 0;
    }
}

ptrdiff_t steady_tls_handshake(struct steady_tls *tls)
{
    begin(tls);
    int result = SSL_do_handshake(tls->openssl);
    let_go_of_input(tls);
    if (result != 1) {
        if (end(tls, result) == STEADY_WAIT)
            return STEADY_WAIT;
        give_up_sessions(tls);
        return STEADY_BROKEN;
    }
    tls->state = OPEN;
    keep_old_session(tls);
    tls->has_more = true; /* what came behind it */
    return 1;
}

/* OpenSSL makes a buffer for writing where it reads a ticket, and keeps it until the next write,
 * which may be long after: 16 KiB a connection. A write of nothing frees it. */
static void let_go_of_output(struct steady_tls *tls, size_t messages_before)
{
    size_t none;
    if (tls->messages != messages_before && tls->state == OPEN && !tls->writing)
        SSL_write_ex(tls->openssl, "", 0, &none);
}

static ptrdiff_t read_records(struct steady_tls *tls, uint8_t *bytes, size_t size)
{
    size_t total = 0;
    begin(tls);
    while (size - total >= SSL3_RT_MAX_PLAIN_LENGTH) {
        int n = SSL_read(tls->openssl, bytes + total, (int)(size - total));
        if (n <= 0) {
            let_go_of_input(tls);
            ptrdiff_t why = end(tls, n);
            if (total == 0)
                return why;
            tls->has_more = tls->has_more || why != STEADY_WAIT;
            return (ptrdiff_t)total;
        }
        total += (size_t)n;
        tls->data_bytes += (uint64_t)n;
        tls->quiet_reads = 0;
    }
    tls->has_more = true;
    return (ptrdiff_t)total;
}

ptrdiff_t steady_tls_read(struct steady_tls *tls, uint8_t *bytes, size_t size)
{
    size_t messages = tls->messages;
    ptrdiff_t result = read_records(tls, bytes, size);
    let_go_of_output(tls, messages);
    return result;
}

ptrdiff_t steady_tls_write(struct steady_tls *tls, const uint8_t *bytes, size_t size)
{
    size_t total = 0;
    begin(tls);
    while (total < size) {
        size_t left = size - total;
        int n = SSL_write(tls->openssl, bytes + total, left < INT_MAX ? (int)left : INT_MAX);
        tls->writing = n <= 0;
        if (n <= 0)
            return end(tls, n) == STEADY_WAIT ? (ptrdiff_t)total : STEADY_BROKEN;
        total += (size_t)n;
    }
    return (ptrdiff_t)total;
}

bool steady_tls_has_more(const struct steady_tls *tls)
{
    return tls->has_more;
}

bool steady_tls_wants_write(const struct steady_tls *tls)
{
    return SSL_want_write(tls->openssl);
}
