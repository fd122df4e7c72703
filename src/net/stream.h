/* A connection as a stream of bytes, over TCP or over TLS, once both have been set up. libuv says
 * when the socket is ready. */
#ifndef STEADY_NET_STREAM_H
#define STEADY_NET_STREAM_H

#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL */
struct steady_stream;

/* Calls to the owner, all from the loop. None is made after steady_stream_free, which is legal in
 * each of them. */
struct steady_stream_owner {
    void (*received)(void *owner, const uint8_t *bytes, size_t size);
    void (*writable)(void *owner);
    void (*ended)(void *owner); /* by the peer or by the network */
};

/* Takes over a connected socket that does not block, and the TLS session on it (NULL: none).
 * Without memory it closes both and returns NULL. */
struct steady_stream *steady_stream_new(struct steady_loop *loop, int socket, struct ssl_st *tls,
                                        const struct steady_stream_owner *calls, void *owner);

/* It has another owner from now on. */
void steady_stream_give(struct steady_stream *stream, const struct steady_stream_owner *calls,
                        void *owner);

/* Closes the connection, without waiting for what is unsent; NULL is fine. */
void steady_stream_free(struct steady_stream *stream);

/* Hands over bytes that stand in the loop's write buffer. False: the connection is broken, and will
 * end. Only while steady_stream_can_write. */
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

/* How the peer complained by TLS, once the stream has ended; NULL: not at all. See
 * steady_tls_failure. */
const char *steady_stream_failure(struct steady_stream *stream);

/* For net/loop, at the end: those that nobody freed. */
void steady_streams_free(struct steady_loop *loop);

#endif
