/* The header and the masking of frames that a client sends (RFC 6455 section 5.2). */
#ifndef STEADY_CORE_FRAME_H
#define STEADY_CORE_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum steady_opcode {
    STEADY_OPCODE_CONTINUATION = 0x0,
    STEADY_OPCODE_TEXT = 0x1,
    STEADY_OPCODE_BINARY = 0x2,
    STEADY_OPCODE_CLOSE = 0x8,
    STEADY_OPCODE_PING = 0x9,
    STEADY_OPCODE_PONG = 0xA,
};

#define STEADY_FRAME_FIN        0x80u
#define STEADY_FRAME_RSV1       0x40u
#define STEADY_FRAME_RSV2       0x20u
#define STEADY_FRAME_RSV3       0x10u
#define STEADY_FRAME_RSV        0x70u
#define STEADY_FRAME_OPCODE     0x0Fu
#define STEADY_FRAME_MASKED     0x80u
#define STEADY_FRAME_LENGTH_16  126   /* in the length byte: the length follows in 2 bytes */
#define STEADY_FRAME_LENGTH_64  127   /* in the length byte: the length follows in 8 bytes */
#define STEADY_FRAME_CONTROL    0x08u /* set in the opcode of every control frame */
#define STEADY_CONTROL_MAX      125 /* bytes in a control frame's payload (RFC 6455 section 5.5) */
#define STEADY_FRAME_HEADER_MAX 14  /* bytes: 2 at the start, 8 for the length, 4 for the key */

/* Returns how many bytes behind the first two bytes of a header give the length. `second` is the
 * second byte. */
static inline size_t steady_frame_length_bytes(uint8_t second)
{
    uint8_t length = second & (uint8_t)~STEADY_FRAME_MASKED;
    return length == STEADY_FRAME_LENGTH_64 ? 8 : length == STEADY_FRAME_LENGTH_16 ? 2 : 0;
}

/* Returns the length of the payload that a complete header announces. */
static inline uint64_t steady_frame_length(const uint8_t *header)
{
    size_t bytes = steady_frame_length_bytes(header[1]);
    uint64_t length = bytes ? 0 : header[1] & (uint8_t)~STEADY_FRAME_MASKED;
    for (size_t i = 0; i < bytes; i++)
        length = length << 8 | header[2 + i];
    return length;
}

/* Writes the header of a masked frame with `size` bytes of payload. `first` is the byte with FIN,
 * the RSV bits and the opcode. `key` is the masking key. The length is written in its shortest
 * form. Returns the header's size, 6 to STEADY_FRAME_HEADER_MAX bytes. */
size_t steady_frame_header(uint8_t *out, uint8_t first, uint64_t size, const uint8_t key[4]);

/* Masks `size` bytes of payload from `in` to `out` (RFC 6455 section 5.3). `offset` is the position
 * of the first byte in the payload, so that a payload can be masked in pieces. */
void steady_frame_mask(uint8_t *out, const uint8_t *in, size_t size, const uint8_t key[4],
                       size_t offset);

#endif
