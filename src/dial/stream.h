/* A connection as a stream of bytes: a socket, with up to two TLS sessions on top. There are two
 * for a server behind a proxy that speaks TLS itself. */
#ifndef STEADY_DIAL_STREAM_H
#define STEADY_DIAL_STREAM_H

#include "dial/failure.h"
#include "dial/stream_buffers.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct steady_stream;

/* The calls that a stream makes to its owner, all from the loop. Each of them may call
 * steady_stream_free, after which no other call follows. */
struct steady_stream_owner {
    /* Bytes have arrived. They are valid during the call. */
    void (*received)(void *owner, const uint8_t *bytes, size_t size);
    /* All bytes that were written before have gone to the system. */
    void (*writable)(void *owner);
    /* The handshake of the TLS session that steady_stream_secure began is done. Only owners that
     * call that function need this call. */
    void (*secured)(void *owner);
    /* The peer or the network has ended the connection, or the TLS handshake has failed. */
    void (*ended)(void *owner);
};

/* Takes over a connected socket and its watch. Returns NULL when memory is out; both are closed
 * then. */
struct steady_stream *steady_stream_new(struct steady_loop *loop, int socket,
                                        struct steady_watch *watch,
                                        const struct steady_stream_owner *calls, void *owner);

/* Gives the stream another owner. */
void steady_stream_give(struct steady_stream *stream, const struct steady_stream_owner *calls,
                        void *owner);

/* Closes the connection, without waiting for unsent bytes. NULL is allowed. */
void steady_stream_free(struct steady_stream *stream);

/* Begins a TLS session on top of the present layer. `secured` or `ended` follows in a later turn.
 * Bytes that were put back are read by the session. `host`, `port` and `verify` are the arguments
 * of steady_tls_new. Returns false when memory is out, or when there are two sessions already. */
bool steady_stream_secure(struct steady_stream *stream, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify);

/* Puts bytes of the last `received` back, so that the next owner of the stream receives them first.
 * Returns false when memory is out. */
bool steady_stream_put_back(struct steady_stream *stream, const uint8_t *bytes, size_t size);

/* Returns room for STEADY_WRITE_SIZE bytes. All streams of a loop share it; it belongs to the
 * caller until the next steady_stream_write. */
uint8_t *steady_stream_room(const struct steady_stream *stream);

/* Writes the first `size` bytes of that room. May be called only when steady_stream_can_write
 * returns true. Returns false when the connection is broken; `ended` follows then. */
bool steady_stream_write(struct steady_stream *stream, size_t size);

/* Returns whether bytes may be written now: all bytes that were written before have gone to the
 * system. While some of them have not, `writable` will be called. */
bool steady_stream_can_write(const struct steady_stream *stream);

/* Returns how many bytes were written that the system has not taken yet. */
size_t steady_stream_buffered(const struct steady_stream *stream);

/* Asks for a call of `writable` in a later turn. */
void steady_stream_want_writable(struct steady_stream *stream);

/* Stops reading from the socket, or goes on with it. While reading has stopped, TCP makes the peer
 * wait. */
void steady_stream_pause(struct steady_stream *stream, bool pause);

/* Writes a text about the TLS session at the top: its version, its cipher, the certificate. The
 * handshake of that session must be done. */
void steady_stream_describe(const struct steady_stream *stream, char *text, size_t size);

/* Notes how TLS failed, or how the peer complained by TLS, if either happened. The stream must have
 * ended. */
void steady_stream_explain(const struct steady_stream *stream, struct steady_cause *cause);

#endif
