/* permessage-deflate (RFC 7692 section 7.2) on an open connection: our messages compressed, the
 * server's decompressed, with zlib. */
#ifndef STEADY_CORE_DEFLATE_H
#define STEADY_CORE_DEFLATE_H

#include "core/buffer.h"
#include "core/extension.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct z_stream_s; /* zlib's */

/* Where the server's DEFLATE data stands. */
enum steady_inflate_place {
    STEADY_INFLATE_BETWEEN, /* between messages: of the next one nothing has come */
    STEADY_INFLATE_INSIDE,  /* blocks are under way */
    STEADY_INFLATE_FINAL,   /* right behind a block with BFINAL */
};

/* Of one connection. A zeroed struct does not compress; what zlib needs, 262 KiB to compress and
 * 40 KiB to decompress with 15 window bits, 38 and 11 KiB with 12, is made with the first message
 * that is compressed; where each message stands for itself (no_context_takeover), it is given back
 * behind each. */
struct steady_deflate {
    struct steady_deflate_parameters parameters;
    struct z_stream_s *deflater, *inflater; /* NULL: not needed so far */
    enum steady_inflate_place place;
};

enum steady_inflate_result {
    STEADY_INFLATED,
    STEADY_INFLATE_TOO_LARGE,
    STEADY_INFLATE_BAD_DATA,
    STEADY_INFLATE_OUT_OF_MEMORY,
};

void steady_deflate_init(struct steady_deflate *deflate,
                         const struct steady_deflate_parameters *parameters);
void steady_deflate_free(struct steady_deflate *deflate);

/* Appends a message's compressed payload to out. False: it is to be sent as it is, since it would
 * not become smaller, or there is no memory; out is as it was, but may have grown in capacity. What
 * is compressed must be sent, in this order, since later messages refer to it. */
bool steady_deflate_message(struct steady_deflate *deflate, const uint8_t *data, size_t size,
                            struct steady_buffer *out);

/* Decompresses the next piece of a message's payload, `last` with its end, and appends what comes
 * of it to out, which holds the message so far. More than max_size bytes of message are too large,
 * and never stored; out's capacity stays at max_size + 1. After another result than STEADY_INFLATED
 * the connection cannot go on. */
enum steady_inflate_result steady_inflate_piece(struct steady_deflate *deflate,
                                                const uint8_t *piece, size_t size, bool last,
                                                size_t max_size, struct steady_buffer *out);

#endif
