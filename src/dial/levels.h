/* The levels of a stream: the socket at the bottom, and the TLS sessions above it. The levels read
 * and write; they do not know the loop. */
#ifndef STEADY_DIAL_LEVELS_H
#define STEADY_DIAL_LEVELS_H

#include "core/buffer.h"
#include "dial/carrier.h"
#include "dial/failure.h"
#include "dial/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_TLS_LEVELS 2 /* TLS with a proxy, and TLS with the server through that proxy */

struct steady_level {
    struct steady_levels *levels;
    struct steady_tls *session; /* NULL at the bottom */
    struct steady_buffer held;  /* bytes that are read before those from below */
    size_t held_taken;          /* how many of them have been read */
};

struct steady_levels {
    int socket; /* negative when it is broken; its last bytes are then held at the bottom */
    struct steady_level list[1 + STEADY_TLS_LEVELS];
    struct steady_level *top; /* one of them */
};

/* The levels must not be moved afterwards. */
void steady_levels_init(struct steady_levels *levels, int socket);

/* Puts a TLS session on top; steady_tls_handshake has to follow. host, port, verify: see
 * steady_tls_new. Returns false when memory is out, or when there are two sessions already. */
bool steady_levels_secure(struct steady_levels *levels, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify);

/* Returns the session on top, or NULL when there is none. */
struct steady_tls *steady_levels_session(const struct steady_levels *levels);

/* Read and write at the top. Both return a count of bytes or one of the other results of
 * dial/carrier.h. */
ptrdiff_t steady_levels_read(struct steady_levels *levels, uint8_t *bytes, size_t size);
ptrdiff_t steady_levels_write(struct steady_levels *levels, const uint8_t *bytes, size_t size);

/* Puts bytes back at the top, so that the next read begins with them. Returns false when memory is
 * out. */
bool steady_levels_put_back(struct steady_levels *levels, const uint8_t *bytes, size_t size);

/* Whether there may be bytes to read that the socket does not announce as readable. */
bool steady_levels_have_more(const struct steady_levels *levels);

/* Keeps everything that the socket still holds, because the socket is about to be closed. */
void steady_levels_lose_socket(struct steady_levels *levels);

/* Notes how TLS failed or how the peer complained by TLS, if either happened. */
void steady_levels_explain(const struct steady_levels *levels, struct steady_cause *cause);

/* Frees everything but the socket. */
void steady_levels_free(struct steady_levels *levels);

#endif
