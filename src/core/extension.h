/* The negotiation of permessage-deflate, the only WebSocket extension there is: what we offer, and
 * what the server may answer (RFC 7692 section 7.1, RFC 6455 section 9.1). The compression itself
 * is in deflate.h. */
#ifndef STEADY_CORE_EXTENSION_H
#define STEADY_CORE_EXTENSION_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Window bits, here and below: the base-2 logarithm of the LZ77 window in bytes. */
#define STEADY_WINDOW_BITS_MIN 8
#define STEADY_WINDOW_BITS_MAX 15

/* What the user wants. Numbers are integral. */
struct steady_deflate_options {
    int on;
    double threshold; /* bytes; a smaller message is not compressed; may be infinite */
    double level;     /* zlib's, 1 to 9 */
    double client_max_window_bits, server_max_window_bits;
    bool client_no_context_takeover, server_no_context_takeover;
};

/* One direction of a connection. */
struct steady_deflate_side {
    uint8_t window_bits;
    bool no_context_takeover; /* each message is compressed without reference to those before it */
};

/* What was agreed on, and what of the options is our own business. All zero: no compression. */
struct steady_deflate_parameters {
    bool on;
    struct steady_deflate_side client, server; /* what the client, and the server, compresses */
    size_t threshold;
    int level;
};

/* Appends the value of a Sec-WebSocket-Extensions header; options->on is the caller's business.
 * False: out of memory. */
bool steady_extension_offer(struct steady_buffer *out,
                            const struct steady_deflate_options *options);

/* Reads the value of that header in the answer; NULL: there was none. `offered` is what
 * steady_extension_offer was given, NULL or off when there was no offer. Returns NULL and sets
 * *agreed, or a static text that says what is wrong and goes on behind the header's name. */
const char *steady_extension_read(const char *answer, const struct steady_deflate_options *offered,
                                  struct steady_deflate_parameters *agreed);

#endif
