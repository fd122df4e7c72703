/* The layers of a stream: the socket at the bottom, and the TLS sessions above it. The layers read
 * and write; they do not know the loop. */
#ifndef STEADY_DIAL_LAYERS_H
#define STEADY_DIAL_LAYERS_H

#include "core/buffer.h"
#include "dial/carrier.h"
#include "dial/failure.h"
#include "dial/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_TLS_LAYERS 2 /* TLS with a proxy, and TLS with the server through that proxy */

struct steady_layer {
    struct steady_layers *layers;
    struct steady_tls *tls;    /* NULL at the bottom */
    struct steady_buffer held; /* bytes that are read before those of the layer below */
    size_t held_taken;         /* how many of them have been read */
};

struct steady_layers {
    int socket; /* negative when it is broken; its last bytes are then held at the bottom */
    struct steady_layer list[1 + STEADY_TLS_LAYERS];
    struct steady_layer *top; /* the uppermost layer, which is in `list` */
};

/* Makes the layers of a connected socket. The struct must not be moved afterwards. */
void steady_layers_init(struct steady_layers *layers, int socket);

/* Puts a TLS session on top; steady_tls_handshake has to follow. `host`, `port` and `verify` are
 * the arguments of steady_tls_new. Returns false when memory is out, or when there are two sessions
 * already. */
bool steady_layers_secure(struct steady_layers *layers, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify);

/* Returns the session on top, or NULL when there is none. */
struct steady_tls *steady_layers_tls(const struct steady_layers *layers);

/* These functions read and write at the top. They return a count of bytes, or one of the other
 * results of dial/carrier.h. */
ptrdiff_t steady_layers_read(struct steady_layers *layers, uint8_t *bytes, size_t size);
ptrdiff_t steady_layers_write(struct steady_layers *layers, const uint8_t *bytes, size_t size);

/* Puts bytes back at the top, so that the next read begins with them. Returns false when memory is
 * out. */
bool steady_layers_put_back(struct steady_layers *layers, const uint8_t *bytes, size_t size);

/* Returns whether there may be bytes to read that the socket does not announce as readable. */
bool steady_layers_have_more(const struct steady_layers *layers);

/* Reads and keeps everything that the socket still has, because the socket is about to be closed.
 */
void steady_layers_lose_socket(struct steady_layers *layers);

/* Notes how TLS failed or how the peer complained by TLS, if either happened. */
void steady_layers_explain(const struct steady_layers *layers, struct steady_cause *cause);

/* Frees everything but the socket. */
void steady_layers_free(struct steady_layers *layers);

#endif
