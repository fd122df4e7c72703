#include "dial/tls.h"

#include "dial/certificate.h"
#include "dial/keylog.h"
#include "dial/tls_carrier.h"
#include "dial/tls_resume.h"
#include "dial/tls_session.h"
#include "dial/tls_shared.h"
#include "dial/tls_trust.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Notes what OpenSSL has found to be wrong. */
static void note_error(struct steady_tls *tls)
{
    unsigned long error = ERR_peek_last_error();
    if (!error || is_eof(error))
        return;
    bool foreign = ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
                   ERR_GET_REASON(error) == SSL_R_PACKET_LENGTH_TOO_LONG;
    steady_tls_note(tls,
                    foreign && !tls->data_bytes ? "what the server sent is not TLS (%s)" : "%s",
                    ERR_reason_error_string(error));
}

/* OpenSSL's info callback. `where` says what has happened, and `value` is the alert. An alert by
 * which the server ends the session is noted. */
static void observe(const SSL *openssl, int where, int value)
{
    struct steady_tls *tls = steady_tls_of(openssl);
    if (where & SSL_CB_ALERT && where & SSL_CB_READ && value >> 8 == SSL3_AL_FATAL)
        steady_tls_note(tls, "the server says \"%s\"",
                        ERR_reason_error_string(
                            ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + (value & 0xFF))));
}

/* OpenSSL's message callback. Counts the messages without data that arrive on an open session. */
static void count_message(int written, int version, int type, const void *bytes, size_t size,
                          SSL *openssl, void *unused)
{
    struct steady_tls *tls = steady_tls_of(openssl);
    (void)version;
    (void)bytes;
    (void)size;
    (void)unused;
    if (!written && type == SSL3_RT_HANDSHAKE && tls->state == TLS_OPEN)
        tls->messages++;
}

static void on_key_line(const SSL *openssl, const char *line)
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
    char reason[96];
    if (tls->refusal)
        steady_cause_note(cause, STEADY_TLS, "%s", tls->refusal);
    else if (tls->reason) {
        snprintf(reason, sizeof reason, tls->format, tls->reason);
        steady_cause_note(cause, STEADY_TLS, format, reason);
    } else if (tls->state == TLS_HANDSHAKING || tls->state == TLS_FAILED)
        steady_cause_note(cause, STEADY_TLS,
                          "the TLS handshake failed: the server ended the connection");
}

void steady_tls_observe(struct ssl_ctx_st *context, bool keylog)
{
    SSL_CTX_set_info_callback(context, observe);
    SSL_CTX_set_msg_callback(context, count_message);
    SSL_CTX_set_cert_verify_callback(context, steady_tls_judge, NULL);
    SSL_CTX_sess_set_new_cb(context, steady_tls_on_new_session);
    if (keylog)
        SSL_CTX_set_keylog_callback(context, on_key_line);
}

/* ------------------------------------------------------------------------- a session */

static bool set_up(struct steady_tls *tls, struct ssl_ctx_st *context, const char *host)
{
    static const unsigned char alpn[] = "\010http/1.1";
    BIO *bio = steady_tls_carrier_new(tls);
    tls->host = strdup(host);
    tls->openssl = SSL_new(context);
    if (!bio || !tls->host || !tls->openssl) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(tls->openssl, bio, bio);
    SSL_set_connect_state(tls->openssl);
    if (SSL_set_alpn_protos(tls->openssl, alpn, sizeof alpn - 1) != 0 || !steady_tls_expect(tls))
        return false;
    steady_tls_offer_session(tls);
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
    if (tls->openssl && (tls->state == TLS_OPEN || tls->state == TLS_ENDED) && !tls->carrier_ended)
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
}

/* Returns what OpenSSL's result means, and notes the end of a session. */
static ptrdiff_t end(struct steady_tls *tls, int result)
{
    switch (SSL_get_error(tls->openssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STEADY_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        tls->state = TLS_ENDED;
        return STEADY_EOF;
    default:
        /* The session has ended behind the last data, which the caller got first, and this is the
         * next read. */
        if (tls->state == TLS_ENDED)
            return STEADY_BROKEN;
        note_error(tls);
        tls->state = tls->state == TLS_OPEN && tls->carrier_ended ? TLS_ENDED : TLS_FAILED;
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
    tls->has_more = false;
    int result = SSL_do_handshake(tls->openssl);
    let_go_of_input(tls);
    if (result != 1) {
        if (end(tls, result) == STEADY_WAIT)
            return STEADY_WAIT;
        steady_tls_give_up_sessions(tls);
        return STEADY_BROKEN;
    }
    tls->state = TLS_OPEN;
    steady_tls_keep_old_session(tls);
    tls->has_more = true; /* data may have arrived behind the handshake */
    return 1;
}

/* Frees the buffer of 16 KiB that OpenSSL makes when it reads a ticket. OpenSSL would keep the
 * buffer until the next write, which may be much later. A write of no bytes frees it.
 * `messages_before` is the count of messages before the last read. */
static void let_go_of_output(struct steady_tls *tls, size_t messages_before)
{
    size_t none;
    if (tls->messages != messages_before && tls->state == TLS_OPEN && !tls->writing)
        SSL_write_ex(tls->openssl, "", 0, &none);
}

static ptrdiff_t read_records(struct steady_tls *tls, uint8_t *bytes, size_t size)
{
    size_t total = 0;
    begin(tls);
    tls->has_more = false;
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
