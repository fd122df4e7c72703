/* The negotiation of permessage-deflate, the only WebSocket extension in use: what the client
 * offers, and what the server may answer (RFC 7692 section 7.1, RFC 6455 section 9.1). deflate.h
 * has the compression itself. */
#ifndef STEADY_CORE_EXTENSION_H
#define STEADY_CORE_EXTENSION_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Window bits are the base-2 logarithm of the size of the LZ77 window in bytes. */
#define STEADY_WINDOW_BITS_MIN 8
#define STEADY_WINDOW_BITS_MAX 15

/* The options that the user has chosen. The numbers are integers. */
struct steady_deflate_options {
    int on;
    double threshold; /* bytes; smaller messages are not compressed; may be infinite */
    double level;     /* zlib's level, 1 to 9 */
    double client_max_window_bits, server_max_window_bits;
    bool client_no_context_takeover, server_no_context_takeover;
};

/* One direction of a connection. */
struct steady_deflate_side {
    uint8_t window_bits;
    bool no_context_takeover; /* whether each message is compressed without reference to earlier
                                 ones */
};

/* The parameters that client and server have agreed on, and the options that only the client needs.
 * All of them are zero when messages are not compressed. */
struct steady_deflate_parameters {
    bool on;
    /* For what the client sends, and for what the server sends. */
    struct steady_deflate_side client, server;
    size_t threshold;
    int level;
};

/* Appends the value of the Sec-WebSocket-Extensions header to `out`. This function does not look at
 * options->on. Returns false when memory is out. */
bool steady_extension_offer(struct steady_buffer *out,
                            const struct steady_deflate_options *options);

/* Reads the value of the Sec-WebSocket-Extensions header in the answer. `answer` is NULL when the
 * answer did not have the header. `offered` has the options that steady_extension_offer was given;
 * when nothing was offered, it is NULL or its `on` is not set. Returns NULL and sets *agreed; or
 * returns a static text that says what is wrong and goes on behind the header's name. */
const char *steady_extension_read(const char *answer, const struct steady_deflate_options *offered,
                                  struct steady_deflate_parameters *agreed);

#endif
