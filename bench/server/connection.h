/* A connection's bytes in and out, with TLS or without. */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include "buffer.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum service { REQUEST, FLOOD, SINK, ECHO, HOLD };

struct connection {
    int socket;
    SSL *ssl;
    bool accepted, dead, write_wanted;
    enum service service;
    struct buffer in, out; /* out: what the socket has not taken */
    bool skipping;         /* a payload that is not looked at: its first header byte, its size, */
    uint8_t first;         /* and how much of it is still to come */
    uint64_t payload_size, skip;

    bool deflate, server_takeover, client_takeover;
    z_stream *inflater;

    uint64_t size, count; /* of messages, as the URL says */
    bool texts;
    uint64_t message_size; /* so far, of a message in several frames */
    bool message_deflated;
    uint64_t messages, wrong;

    const struct flood *flood; /* see flood.c */
    const struct batch *batch;
    uint64_t frames_left;  /* with those of the batch under way */
    size_t position, stop; /* in the batch */
};

struct connection *connection_new(int socket, SSL *ssl);
void connection_drop(struct connection *c);

/* Whether TLS, if there is any, is there; false while it is not. */
bool connection_accepted(struct connection *c);

/* Bytes read; 0 when it would block; the connection is dropped when it has ended. `into` NULL: the
 * kernel throws them away. */
size_t connection_read(struct connection *c, void *into, size_t size);

/* Bytes taken; 0 when it would block; the connection is dropped when it has ended. */
size_t connection_write(struct connection *c, const void *bytes, size_t size);

/* Writes, and keeps for later what would block. */
void connection_send(struct connection *c, const void *bytes, size_t size);

/* Writes what was kept; false while some is left, or when the connection was dropped. */
bool connection_flush(struct connection *c);

/* Asks for writability or not, as there is something to send. */
void connection_arm(struct connection *c);

#endif
