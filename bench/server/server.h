/* The other end of the measurements: a WebSocket server that does as little as possible, so that
 * the client is what is measured. One thread, epoll, loopback only, Linux. It trusts its clients:
 * no timeouts, and whatever it does not expect ends the connection. main.c says what it serves.
 *
 *   main      arguments, the two listeners, the loop
 *   stream    a connection's bytes in and out, with TLS or without
 *   upgrade   the HTTP request: the handshake, the extension, the counters
 *   frames    RFC 6455: headers, unmasking, from bytes to messages
 *   services  what is done with messages
 *   flood     the frames that a flood is made of
 *   deflate   RFC 7692
 *   tls       the certificate */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

enum { FIN = 0x80, RSV1 = 0x40, TEXT = 1, CONTROL = 8, CLOSE = 8, PING = 9, PONG = 10 };
enum { LONGEST_HEADER = 14 };

enum service { REQUEST, FLOOD, SINK, ECHO, HOLD };

struct buffer {
    uint8_t *bytes;
    size_t begin, end, capacity; /* what is in it and not used yet is from begin to end */
};

/* Ready frames, which begin again when they are all sent. */
struct batch {
    int file; /* the same bytes, for sendfile */
    uint8_t *bytes;
    size_t *ends; /* of each frame */
    size_t frames;
};

struct flood {
    struct flood *next;
    size_t size;
    bool texts, deflate, takeover;
    struct batch first, again; /* with context takeover the first one has nothing to refer to */
};

struct connection {
    struct connection *dead_next;
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

    const struct flood *flood;
    const struct batch *batch;
    uint64_t frames_left;  /* with those of the batch under way */
    size_t position, stop; /* in the batch */
};

/* What a client or bench/run asks for at /stats. */
struct counters {
    uint64_t connections, messages;
    uint64_t bytes_in, bytes_out; /* of WebSocket connections, handshakes left out, before TLS */
};

extern struct counters counters;
extern int poller;
extern const char *texts_directory;

/* ------------------------------------------------------------------------- stream */

void check(bool fine, const char *what);
struct connection *connection_new(int socket, SSL *ssl);
void connection_drop(struct connection *c);
void connection_readable(struct connection *c);
void connection_writable(struct connection *c);
void connection_send(struct connection *c, const void *bytes, size_t size);

/* Bytes taken; 0 when it would block; the connection is dropped when it has ended. */
size_t connection_write(struct connection *c, const void *bytes, size_t size);

/* Asks for writability or not, as there is something to send. */
void connection_arm(struct connection *c);

/* Room for so many bytes from `begin` on. */
void buffer_reserve(struct buffer *buffer, size_t size);

/* ------------------------------------------------------------------------- the others */

/* Takes a request from the input; false while it is not whole. */
bool upgrade_take(struct connection *c);

size_t frame_header(uint8_t *out, uint8_t first, uint64_t size);
void frame_send(struct connection *c, uint8_t first, const void *payload, size_t size);

/* Takes all whole frames from the input. */
void frames_take(struct connection *c);

/* Whether payloads are looked at, and not only counted. */
bool service_needs_payload(const struct connection *c);
void service_message(struct connection *c, uint64_t size);
void service_echo(struct connection *c, uint8_t first, uint8_t *payload, uint64_t size);

const struct flood *flood_get(const struct connection *c);
void flood_begin(struct connection *c);
void flood_go_on(struct connection *c);

/* Reads the offers; appends to the answer, when there is one to take. */
void deflate_negotiate(struct connection *c, const char *offers, char *answer, size_t size);

/* A message as it is on the wire, in a stream of its own; returns its size. */
size_t deflate_message(z_stream *stream, bool takeover, const void *data, size_t size, uint8_t *out,
                       size_t capacity);

/* The size of what a frame's payload inflates to; `last`: the message ends with it. */
uint64_t deflate_inflated(struct connection *c, const uint8_t *payload, size_t size, bool last);

SSL_CTX *tls_context(const char *certificate_file);

#endif
