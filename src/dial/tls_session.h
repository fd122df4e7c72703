/* The members of a TLS session, for the files tls*.c only. */
#ifndef STEADY_DIAL_TLS_SESSION_H
#define STEADY_DIAL_TLS_SESSION_H

#include "core/buffer.h"
#include "dial/carrier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL */

enum steady_tls_state {
    TLS_HANDSHAKING,
    TLS_OPEN,
    TLS_ENDED, /* the peer has sent close_notify, or the carrier has ended */
    TLS_FAILED,
};

struct steady_tls {
    struct ssl_st *openssl; /* steady_tls_of finds this struct again */
    enum steady_tls_state state;
    const struct steady_carrier *calls;
    void *carrier;
    struct steady_buffer input; /* bytes that were read from the carrier */
    size_t taken;               /* how many of these bytes OpenSSL has taken */
    size_t reads, quiet_reads;  /* how often OpenSSL has read in the present call, in all and since
                                   the last data */
    bool has_more;
    bool carrier_ended;
    bool verify;  /* whether the certificate's authority, name and date are checked */
    bool writing; /* whether OpenSSL still has a part of the last write */
    bool offered; /* whether a session was offered to the server */
    size_t handshake_bytes;
    size_t messages;     /* messages without data that arrived on the open session */
    uint64_t data_bytes; /* bytes of data that arrived */
    char *host;
    uint16_t port;
    char *refusal;      /* why the certificate was refused, or NULL */
    const char *reason; /* a static text about the first other thing that went wrong, or NULL */
    const char *format; /* a static format of printf for the reason */
};

/* Notes what went wrong, unless something was noted before. `format` is a format of printf that
 * shows `reason`. Does nothing when `reason` is NULL. */
static inline void steady_tls_note(struct steady_tls *tls, const char *format, const char *reason)
{
    if (tls->reason)
        return;
    tls->format = format;
    tls->reason = reason;
}

#endif
