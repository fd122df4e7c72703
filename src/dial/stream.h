/* A connection as a stream of bytes: a socket, with no TLS session on top, or one, or one over
 * another (to a server through a proxy that speaks TLS itself). */
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

/* Calls to the owner, all from the loop. None is made after steady_stream_free, which is legal in
 * each of them. */
struct steady_stream_owner {
    /* Bytes that came. They are gone after the call. */
    void (*received)(void *owner, const uint8_t *bytes, size_t size);
    /* All that was handed over has gone to the system. */
    void (*writable)(void *owner);
    /* After steady_stream_secure: the TLS session is there. Needed only by those who call that. */
    void (*secured)(void *owner);
    /* By the peer or by the network, or the TLS handshake failed. */
    void (*ended)(void *owner);
};

/* Takes a connected socket and its watch over. NULL: out of memory; both are closed then. */
struct steady_stream *steady_stream_new(struct steady_loop *loop, int socket,
                                        struct steady_watch *watch,
                                        const struct steady_stream_owner *calls, void *owner);

/* It has another owner from now on. */
void steady_stream_give(struct steady_stream *stream, const struct steady_stream_owner *calls,
                        void *owner);

/* Closes the connection, without waiting for what is unsent; NULL is fine. */
void steady_stream_free(struct steady_stream *stream);

/* Begins a TLS session on top of what there is; `secured` or `ended` follows in a later turn. What
 * was received so far stays below it. host, port, verify: see steady_tls_new. False: out of memory,
 * or there are two sessions already. */
bool steady_stream_secure(struct steady_stream *stream, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify);

/* Puts bytes back, in front of what comes next: those of the last `received` that belong to whoever
 * goes on with the stream. False: out of memory. */
bool steady_stream_put_back(struct steady_stream *stream, const uint8_t *bytes, size_t size);

/* Room for STEADY_WRITE_SIZE bytes, which all streams of a loop share: it is the caller's until the
 * next steady_stream_write. */
uint8_t *steady_stream_room(const struct steady_stream *stream);

/* Hands the first `size` bytes of that room over. False: the connection is broken, and will end.
 * Only while steady_stream_can_write. */
bool steady_stream_write(struct steady_stream *stream, size_t size);

/* Whether all that was handed over before has gone to the system; if not, `writable` will be
 * called. */
bool steady_stream_can_write(const struct steady_stream *stream);

/* Bytes that were handed over and that the system has not taken yet. */
size_t steady_stream_buffered(const struct steady_stream *stream);

/* Asks for a call of `writable` in a later turn. */
void steady_stream_want_writable(struct steady_stream *stream);

/* Stops and goes on reading from the socket: meanwhile TCP holds the peer back. */
void steady_stream_pause(struct steady_stream *stream, bool pause);

/* Whether a TLS handshake is under way. */
bool steady_stream_is_securing(const struct steady_stream *stream);

/* Once a TLS session is there: writes what the one on top agreed on. */
void steady_stream_describe(const struct steady_stream *stream, char *text, size_t size);

/* Once the stream has ended: notes how its TLS failed or how the peer complained by TLS, if either
 * did. */
void steady_stream_explain(const struct steady_stream *stream, struct steady_cause *cause);

#endif
