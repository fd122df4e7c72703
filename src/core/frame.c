#include "core/frame.h"

#include <string.h>

static uint8_t *big_endian(uint8_t *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *out++ = (uint8_t)(value >> (8 * bytes));
    return out;
}

size_t steady_frame_header(uint8_t *out, uint8_t first, uint64_t size, const uint8_t key[4])
{
    uint8_t *end = out;
    *end++ = first;
    if (size < STEADY_FRAME_LENGTH_16) {
        *end++ = (uint8_t)(STEADY_FRAME_MASKED | size);
    } else if (size <= UINT16_MAX) {
        *end++ = STEADY_FRAME_MASKED | STEADY_FRAME_LENGTH_16;
        end = big_endian(end, size, 2);
    } else {
        *end++ = STEADY_FRAME_MASKED | STEADY_FRAME_LENGTH_64;
        end = big_endian(end, size, 8);
    }
    memcpy(end, key, 4);
    return (size_t)(end + 4 - out);
}

/* Returns the eight bytes that mask the payload from `offset` on: the key twice, rotated so that it
 * begins with the byte for that offset. */
static uint64_t repeated_key(const uint8_t key[4], size_t offset)
{
    uint32_t word;
    if (offset % 4 == 0) {
        memcpy(&word, key, 4);
    } else {
        const uint8_t rotated[4] = {key[offset % 4], key[(offset + 1) % 4], key[(offset + 2) % 4],
                                    key[(offset + 3) % 4]};
        memcpy(&word, rotated, 4);
    }
    return word * UINT64_C(0x100000001);
}

static void mask_word(uint8_t *out, const uint8_t *in, uint64_t key)
{
    uint64_t word;
    memcpy(&word, in, 8);
    word ^= key;
    memcpy(out, &word, 8);
}

void steady_frame_mask(uint8_t *restrict out, const uint8_t *restrict in, size_t size,
                       const uint8_t key[4], size_t offset)
{
    const uint64_t words = repeated_key(key, offset);
    size_t i = 0;
    for (; size - i >= 32; i += 32) {
        mask_word(out + i, in + i, words);
        mask_word(out + i + 8, in + i + 8, words);
        mask_word(out + i + 16, in + i + 16, words);
        mask_word(out + i + 24, in + i + 24, words);
    }
    for (; size - i >= 8; i += 8)
        mask_word(out + i, in + i, words);
    for (; i < size; i++)
        out[i] = in[i] ^ key[(offset + i) % 4];
}
