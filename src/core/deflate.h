/* permessage-deflate (RFC 7692 section 7.2) on an open connection: compresses our messages and
 * decompresses the server's, with zlib. */
#ifndef STEADY_CORE_DEFLATE_H
#define STEADY_CORE_DEFLATE_H

#include "core/buffer.h"
#include "core/extension.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct z_stream_s; /* z_stream of zlib */

/* How far the server's DEFLATE data has been read. */
enum steady_inflate_place {
    STEADY_INFLATE_BETWEEN, /* between two messages */
    STEADY_INFLATE_INSIDE,  /* inside the blocks of a message */
    STEADY_INFLATE_FINAL,   /* directly behind a block with BFINAL */
};

/* The compression of one connection. A zeroed struct does not compress. zlib needs 262 KiB to
 * compress and 40 KiB to decompress with 15 window bits, and 38 and 11 KiB with 12. That memory is
 * allocated for the first message that is compressed. With no_context_takeover it is freed after
 * each message. */
struct steady_deflate {
    struct steady_deflate_parameters parameters;
    struct z_stream_s *deflater, *inflater; /* NULL until the first compressed message */
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

/* Appends the compressed payload of a message to `out`. Returns false when the message has to be
 * sent uncompressed, because it would not become smaller or memory is out; then `out` has the same
 * bytes as before, but its capacity may have grown. Every message that was compressed must be sent,
 * in the order in which the messages were compressed, since later messages refer to earlier ones.
 */
bool steady_deflate_message(struct steady_deflate *deflate, const uint8_t *data, size_t size,
                            struct steady_buffer *out);

/* Decompresses the next piece of a message's payload and appends the result to `out`, which has the
 * beginning of the message. `last` says whether this piece is the message's last one. A message of
 * more than max_size bytes is too large; `out` never gets a capacity of more than max_size + 1.
 * After any result but STEADY_INFLATED the connection must end. */
enum steady_inflate_result steady_inflate_piece(struct steady_deflate *deflate,
                                                const uint8_t *piece, size_t size, bool last,
                                                size_t max_size, struct steady_buffer *out);

#endif
