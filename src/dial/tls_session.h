/* What the files tls*.c know of a session; nobody else does. */
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
    TLS_ENDED, /* by the peer's close_notify, or by the carrier's end */
    TLS_FAILED,
};

struct steady_tls {
    struct ssl_st *openssl; /* steady_tls_of finds this struct again */
    enum steady_tls_state state;
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
    char *refusal;      /* why the certificate was refused; NULL: it was not */
    const char *reason; /* what else went wrong first; NULL: nothing. It lives for ever, as does */
    const char *format; /* printf's, of the reason */
};

/* Notes what went wrong, unless something has before. reason: NULL: there is nothing to note. */
static inline void steady_tls_note(struct steady_tls *tls, const char *format, const char *reason)
{
    if (tls->reason)
        return;
    tls->format = format;
    tls->reason = reason;
}

#endif
