/* The client's side of SOCKS 5 (RFC 1928), with the log-in by user and password (RFC 1929). It
 * reaches from the greeting to the proxy's reply to CONNECT. It reads pieces of any size, without
 * I/O. */
#ifndef STEADY_CORE_SOCKS_H
#define STEADY_CORE_SOCKS_H

#include "core/buffer.h"
#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The server to which the proxy has to connect: an address in network order, or a name. */
struct steady_socks_target {
    const uint8_t *address;
    size_t address_size; /* 4 or 16; or 0 when there is no address, and the name is used */
    const char *name;    /* 1 to 255 bytes */
    uint16_t port;
};

enum steady_socks_part {
    STEADY_SOCKS_METHOD,   /* the greeting was sent; the proxy has to say how to log in */
    STEADY_SOCKS_LOGIN,    /* user and password were sent */
    STEADY_SOCKS_REPLY,    /* CONNECT was sent */
    STEADY_SOCKS_COMPLETE, /* the proxy has connected to the target */
    STEADY_SOCKS_REFUSED,  /* the proxy follows the protocol, and has refused */
    STEADY_SOCKS_BAD,      /* the answer is not SOCKS 5, or memory is out */
};

#define STEADY_SOCKS_REPLY_MAX (4 + 1 + 255 + 2) /* bytes */

/* The struct has to be zeroed before steady_socks_start. The caller may read `part`, `code` and
 * `memory_is_out`. */
struct steady_socks {
    enum steady_socks_part part;
    uint8_t code; /* the code of the reply when CONNECT was REFUSED; otherwise 0 */
    bool memory_is_out;

    struct steady_buffer request; /* CONNECT, which is sent after the log-in */
    struct steady_buffer login;   /* empty when there is no log-in */
    enum steady_socks_part failed_at;
    uint8_t answer[STEADY_SOCKS_REPLY_MAX]; /* the answer that is being read */
    size_t size;                            /* how many bytes of it have arrived */
};

/* Appends the greeting to `out`. `proxy` has the user and password. Returns false when memory is
 * out. */
bool steady_socks_start(struct steady_socks *socks, const struct steady_url *proxy,
                        const struct steady_socks_target *target, struct steady_buffer *out);

/* Reads the next piece, and appends the bytes that have to be sent now to `out`. Returns how many
 * of the bytes that arrived belong to the conversation. These are all of them, unless the
 * conversation is COMPLETE, REFUSED or BAD now. */
size_t steady_socks_input(struct steady_socks *socks, const uint8_t *bytes, size_t size,
                          struct steady_buffer *out);

/* Writes what the proxy did, such as "it does not accept this user and password". The part must be
 * REFUSED, or BAD without memory being out, or the connection must have ended before the part was
 * COMPLETE. */
void steady_socks_explain(const struct steady_socks *socks, char *text, size_t size);

/* Returns whether another address of the target may work where this one was REFUSED. */
bool steady_socks_may_try_another(const struct steady_socks *socks);

void steady_socks_free(struct steady_socks *socks);

#endif
