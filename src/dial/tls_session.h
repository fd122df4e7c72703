/* The inside of a TLS session, for the files tls*.c only. */
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
    TLS_ENDED, /* by the peer's close_notify, or because the carrier has ended */
    TLS_FAILED,
};

struct steady_tls {
    struct ssl_st *openssl; /* steady_tls_of finds this struct again */
    enum steady_tls_state state;
    const struct steady_carrier *calls;
    void *carrier;
    struct steady_buffer input; /* bytes that were read from the carrier */
    size_t taken;               /* so many of them has OpenSSL taken */
    size_t reads, quiet_reads;  /* of OpenSSL, in the present call */
    bool has_more;
    bool carrier_ended;
    bool verify;  /* whether the certificate's authority, name and date are checked */
    bool writing; /* OpenSSL still holds a part of the last write */
    bool offered; /* a session was offered to the server */
    size_t handshake_bytes;
    size_t messages;     /* that came without data on the open session */
    uint64_t data_bytes; /* bytes of data that came */
    char *host;
    uint16_t port;
    char *refusal;      /* why the certificate was refused, or NULL */
    const char *reason; /* the first other thing that went wrong, or NULL; static */
    const char *format; /* of printf, for the reason; static */
};

/* Notes what went wrong, unless something was noted before. Does nothing when reason is NULL. */
static inline void steady_tls_note(struct steady_tls *tls, const char *format, const char *reason)
{
    if (tls->reason)
        return;
    tls->format = format;
    tls->reason = reason;
}

#endif
