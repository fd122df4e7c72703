/* The client's side of SOCKS 5 (RFC 1928), with the log-in by user and password (RFC 1929): from
 * the greeting to the proxy's reply to CONNECT, in pieces of any size. No I/O. */
#ifndef STEADY_CORE_SOCKS_H
#define STEADY_CORE_SOCKS_H

#include "core/buffer.h"
#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where to: an address of so many bytes, in network order, or a name. */
struct steady_socks_target {
    const uint8_t *address;
    size_t address_size; /* 4 or 16; 0: there is none, and the name counts */
    const char *name;    /* 1 to 255 bytes */
    uint16_t port;
};

enum steady_socks_part {
    STEADY_SOCKS_METHOD,   /* the greeting was sent, and how to log in is to come */
    STEADY_SOCKS_LOGIN,    /* user and password were sent */
    STEADY_SOCKS_REPLY,    /* CONNECT was sent */
    STEADY_SOCKS_COMPLETE, /* the connection to the target is there */
    STEADY_SOCKS_REFUSED,  /* the proxy follows the protocol, and said no */
    STEADY_SOCKS_BAD,      /* what came is not SOCKS 5, or memory is out */
};

#define STEADY_SOCKS_REPLY_MAX (4 + 1 + 255 + 2) /* bytes */

/* A zeroed struct, for steady_socks_start. The caller may read `part`, `code` and `memory_is_out`.
 */
struct steady_socks {
    enum steady_socks_part part;
    uint8_t code; /* of the reply, when it is REFUSED after CONNECT; else 0 */
    bool memory_is_out;

    struct steady_buffer request; /* CONNECT, to be sent after the log-in */
    struct steady_buffer login;   /* empty: there is none */
    enum steady_socks_part failed_at;
    uint8_t answer[STEADY_SOCKS_REPLY_MAX]; /* the incomplete one */
    size_t size;                            /* bytes of it */
};

/* Appends the greeting to `out`. proxy: for its user and password. False: out of memory. */
bool steady_socks_start(struct steady_socks *socks, const struct steady_url *proxy,
                        const struct steady_socks_target *target, struct steady_buffer *out);

/* Reads the next piece, and appends what has to be sent now to `out`. Returns how many of the bytes
 * belong to the conversation: all, unless it is COMPLETE, REFUSED or BAD now. */
size_t steady_socks_input(struct steady_socks *socks, const uint8_t *bytes, size_t size,
                          struct steady_buffer *out);

/* Once it is REFUSED or BAD and memory is not out, or the connection has ended before it was
 * COMPLETE: writes what the proxy did, as "it does not accept this user and password". */
void steady_socks_explain(const struct steady_socks *socks, char *text, size_t size);

/* Whether the target's other addresses may do where this one was REFUSED. */
bool steady_socks_may_try_another(const struct steady_socks *socks);

void steady_socks_free(struct steady_socks *socks);

#endif
