#include "core/deflate.h"

#include "core/number.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

/* A negative number tells zlib to write no header of its own. */
#define RAW(window_bits) (-(window_bits))

#define ROOM_MIN       256 /* bytes; zlib takes a slow path when it has less than 258 to write to */
#define EXPECTED_RATIO 4   /* the size after decompressing, divided by the size before */

/* The bytes that end a flushed block. The sender removes them and the receiver adds them again (RFC
 * 7692 sections 7.2.1 and 7.2.2). */
static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};

typedef struct steady_deflate_side side;
typedef enum steady_inflate_result inflate_result;

void steady_deflate_init(struct steady_deflate *deflate,
                         const struct steady_deflate_parameters *parameters)
{
    *deflate = (struct steady_deflate){.parameters = *parameters};
}

/* --- sending --------------------------------------------------------------------------------- */

/* zlib does not accept a window of 8 bits. With one of 9 bits it never refers back by more than 512
 * - 262 = 250 bytes, since it keeps room for the longest match, and a window of 8 bits allows that.
 * The memory level follows the size of the window: zlib's default of 8 belongs to its default
 * window of 15 bits. */
static bool init_deflater(z_stream *stream, side client, int level)
{
    const int bits = client.window_bits > 9 ? client.window_bits : 9;
    return deflateInit2(stream, level, Z_DEFLATED, RAW(bits), bits - 7, Z_DEFAULT_STRATEGY) == Z_OK;
}

static bool need_deflater(struct steady_deflate *deflate)
{
    if (deflate->deflater)
        return true;
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream && init_deflater(stream, deflate->parameters.client, deflate->parameters.level)) {
        deflate->deflater = stream;
        return true;
    }
    free(stream);
    return false;
}

static void drop_deflater(struct steady_deflate *deflate)
{
    if (deflate->deflater)
        deflateEnd(deflate->deflater);
    free(deflate->deflater);
    deflate->deflater = NULL;
}

/* Compresses a message and removes the tail. A result that is not smaller than the message is not
 * worth sending, so the output gets less room than the message takes. Returns whether the result
 * fits. */
static bool deflate_smaller(z_stream *stream, const uint8_t *data, size_t size,
                            struct steady_buffer *out)
{
    stream->next_in = data;
    stream->avail_in = (uInt)size;
    stream->next_out = out->data + out->size;
    stream->avail_out = (uInt)(size + sizeof tail);
    if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0)
        return false;
    out->size += size - stream->avail_out;
    return true;
}

bool steady_deflate_message(struct steady_deflate *deflate, const uint8_t *data, size_t size,
                            struct steady_buffer *out)
{
    if (size == 0 || size > UINT_MAX - sizeof tail ||
        !steady_buffer_reserve(out, size + sizeof tail) || !need_deflater(deflate))
        return false;
    const bool smaller = deflate_smaller(deflate->deflater, data, size, out);
    /* When a message is sent uncompressed, the server does not know the bytes that zlib now
     * remembers. So zlib has to start anew. */
    if (!smaller || deflate->parameters.client.no_context_takeover)
        drop_deflater(deflate);
    return smaller;
}

/* --- receiving ------------------------------------------------------------------------------- */

static bool need_inflater(struct steady_deflate *deflate)
{
    if (deflate->inflater)
        return true;
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream && inflateInit2(stream, RAW(deflate->parameters.server.window_bits)) == Z_OK) {
        deflate->inflater = stream;
        return true;
    }
    free(stream);
    return false;
}

static void drop_inflater(struct steady_deflate *deflate)
{
    if (deflate->inflater)
        inflateEnd(deflate->inflater);
    free(deflate->inflater);
    deflate->inflater = NULL;
}

/* A block with BFINAL ends the data for zlib. But in a message more blocks may follow it, in the
 * same message or in the next one (RFC 7692 section 7.2.1), and these may refer to bytes before it.
 * So inflating goes on with the same window. */
static bool go_on_behind_final(z_stream *stream)
{
    uint8_t window[1 << STEADY_WINDOW_BITS_MAX];
    uInt size = 0;
    return inflateGetDictionary(stream, window, &size) == Z_OK && inflateReset(stream) == Z_OK &&
           inflateSetDictionary(stream, window, size) == Z_OK;
}

static uInt at_most(size_t size, size_t limit)
{
    if (size > limit)
        size = limit;
    return size < UINT_MAX ? (uInt)size : UINT_MAX;
}

/* Gives zlib room to write to, up to one byte more than max_size: when zlib fills that byte, the
 * message is too large. */
static bool make_room(z_stream *stream, size_t max_size, struct steady_buffer *out)
{
    const size_t limit = max_size < SIZE_MAX ? max_size + 1 : max_size;
    const size_t left = limit - out->size;
    const uint64_t wanted = (uint64_t)stream->avail_in * EXPECTED_RATIO + ROOM_MIN;
    if (!steady_buffer_reserve_within(out, steady_at_most(left, wanted), limit))
        return false;
    stream->next_out = out->data + out->size;
    stream->avail_out = at_most(out->capacity - out->size, left);
    return true;
}

/* Does one step of inflating. Sets *done when zlib has read all of its input and written all of its
 * output. */
static inflate_result inflate_step(struct steady_deflate *deflate, size_t max_size,
                                   struct steady_buffer *out, bool *done)
{
    z_stream *stream = deflate->inflater;
    if ((deflate->place == STEADY_INFLATE_FINAL && !go_on_behind_final(stream)) ||
        !make_room(stream, max_size, out))
        return STEADY_INFLATE_OUT_OF_MEMORY;
    const int result = inflate(stream, Z_SYNC_FLUSH);
    deflate->place = result == Z_STREAM_END ? STEADY_INFLATE_FINAL : STEADY_INFLATE_INSIDE;
    if (result == Z_MEM_ERROR)
        return STEADY_INFLATE_OUT_OF_MEMORY;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return STEADY_INFLATE_BAD_DATA;
    out->size = (size_t)(stream->next_out - out->data);
    *done = stream->avail_in == 0 && (stream->avail_out > 0 || result == Z_STREAM_END);
    return out->size > max_size ? STEADY_INFLATE_TOO_LARGE : STEADY_INFLATED;
}

static inflate_result inflate_all(struct steady_deflate *deflate, const uint8_t *data, size_t size,
                                  size_t max_size, struct steady_buffer *out)
{
    inflate_result result = STEADY_INFLATED;
    while (size > 0 && result == STEADY_INFLATED) {
        const uInt now = at_most(size, UINT_MAX);
        bool done = false;
        deflate->inflater->next_in = data;
        deflate->inflater->avail_in = now;
        while (!done && result == STEADY_INFLATED)
            result = inflate_step(deflate, max_size, out, &done);
        data += now;
        size -= now;
    }
    return result;
}

/* Returns whether zlib has just finished a block, and no bits of the last byte are left. */
static bool is_between_blocks(const z_stream *stream)
{
    const int between = 128, unused_bits = 63;
    return (stream->data_type & (between | unused_bits)) == between;
}

/* Ends a message. Behind a block with BFINAL no tail is added, since that block has no flush to
 * end. A message without any payload is empty; some servers send an empty message like that. */
static inflate_result end_message(struct steady_deflate *deflate, size_t max_size,
                                  struct steady_buffer *out)
{
    inflate_result result = STEADY_INFLATED;
    if (deflate->place == STEADY_INFLATE_INSIDE) {
        result = inflate_all(deflate, tail, sizeof tail, max_size, out);
        if (result == STEADY_INFLATED &&
            (deflate->place != STEADY_INFLATE_INSIDE || !is_between_blocks(deflate->inflater)))
            result = STEADY_INFLATE_BAD_DATA;
        deflate->place = STEADY_INFLATE_BETWEEN;
    }
    if (deflate->parameters.server.no_context_takeover) {
        drop_inflater(deflate);
        deflate->place = STEADY_INFLATE_BETWEEN;
    }
    return result;
}

inflate_result steady_inflate_piece(struct steady_deflate *deflate, const uint8_t *piece,
                                    size_t size, bool last, size_t max_size,
                                    struct steady_buffer *out)
{
    inflate_result result = STEADY_INFLATED;
    if (size > 0 && !need_inflater(deflate))
        return STEADY_INFLATE_OUT_OF_MEMORY;
    if (size > 0)
        result = inflate_all(deflate, piece, size, max_size, out);
    if (last && result == STEADY_INFLATED)
        result = end_message(deflate, max_size, out);
    return result;
}

void steady_deflate_free(struct steady_deflate *deflate)
{
    drop_deflater(deflate);
    drop_inflater(deflate);
}
