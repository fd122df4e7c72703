#include "core/utf8.h"

#include <string.h>

/* A finite automaton over the bytes (RFC 3629 section 4). Each byte has a row, which is a 64-bit
 * word. A state's number is the position of six bits in that word, and these six bits are the
 * number of the next state. So a step consists of a load, which does not depend on the state, and a
 * shift. That is why the numbers of states are multiples of 6. A transition that a row does not
 * name leads to state 0, which means invalid and is never left. */
enum {
    INVALID = 0,
    START = 6,   /* between two characters */
    NEED_1 = 12, /* this number of continuation bytes is missing */
    NEED_2 = 18,
    NEED_3 = 24,
    AFTER_E0 = 30, /* behind E0 a second byte below A0 would make an overlong form */
    AFTER_ED = 36, /* behind ED a second byte from A0 on would make a surrogate */
    AFTER_F0 = 42, /* behind F0 a second byte below 90 would make an overlong form */
    AFTER_F4 = 48, /* behind F4 a second byte from 90 on would be over U+10FFFF */
    STATE_MASK = 63
};

#define GO(from, to) ((uint64_t)(to) << (from))

#define CONTINUATION (GO(NEED_1, START) | GO(NEED_2, NEED_1) | GO(NEED_3, NEED_2))
#define ROW_80_8F    (CONTINUATION | GO(AFTER_ED, NEED_1) | GO(AFTER_F4, NEED_2))
#define ROW_90_9F    (CONTINUATION | GO(AFTER_ED, NEED_1) | GO(AFTER_F0, NEED_2))
#define ROW_A0_BF    (CONTINUATION | GO(AFTER_E0, NEED_1) | GO(AFTER_F0, NEED_2))

#define ASCII  GO(START, START)
#define LEAD_2 GO(START, NEED_1)
#define LEAD_3 GO(START, NEED_2)
#define LEAD_4 GO(START, NEED_3)

#define TWICE(row)   row, row
#define FOUR(row)    TWICE(row), TWICE(row)
#define SIXTEEN(row) FOUR(row), FOUR(row), FOUR(row), FOUR(row)

/* clang-format off */
static const uint64_t rows[256] = {
    /* 00 */ SIXTEEN(ASCII), SIXTEEN(ASCII), SIXTEEN(ASCII), SIXTEEN(ASCII),
    /* 40 */ SIXTEEN(ASCII), SIXTEEN(ASCII), SIXTEEN(ASCII), SIXTEEN(ASCII),
    /* 80 */ SIXTEEN(ROW_80_8F), SIXTEEN(ROW_90_9F), SIXTEEN(ROW_A0_BF), SIXTEEN(ROW_A0_BF),
    /* C0 */ TWICE(0), TWICE(LEAD_2), FOUR(LEAD_2), FOUR(LEAD_2), FOUR(LEAD_2),
    /* D0 */ SIXTEEN(LEAD_2),
    /* E0 */ GO(START, AFTER_E0), LEAD_3, TWICE(LEAD_3), FOUR(LEAD_3), FOUR(LEAD_3),
    /* EC */ LEAD_3, GO(START, AFTER_ED), TWICE(LEAD_3),
    /* F0 */ GO(START, AFTER_F0), LEAD_4, TWICE(LEAD_4),
    /* F4 */ GO(START, AFTER_F4), /* F5 to FF are in no valid text */
};
/* clang-format on */

/* Returns the next state. The bits above STATE_MASK have no meaning. */
static uint64_t step(uint64_t state, uint8_t byte)
{
    return rows[byte] >> (state & STATE_MASK);
}

static uint64_t walk(uint64_t state, const uint8_t *bytes, size_t size)
{
    for (; size >= 4; bytes += 4, size -= 4)
        state = step(step(step(step(state, bytes[0]), bytes[1]), bytes[2]), bytes[3]);
    for (; size > 0; bytes++, size--)
        state = step(state, *bytes);
    return state & STATE_MASK;
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#define BLOCK 32 /* bytes */

static bool any_high_bit(uint64_t word)
{
    return (word & UINT64_C(0x8080808080808080)) != 0;
}

static bool block_is_ascii(const uint8_t *bytes)
{
    return !any_high_bit(word_at(bytes) | word_at(bytes + 8) | word_at(bytes + 16) |
                         word_at(bytes + 24));
}

/* Returns how many bytes at the beginning are whole blocks of ASCII. */
static size_t ascii_blocks(const uint8_t *bytes, size_t size)
{
    size_t ascii = 0;
    while (size - ascii >= BLOCK && block_is_ascii(bytes + ascii))
        ascii += BLOCK;
    return ascii;
}

/* Returns whether less than a block is ASCII. Looks at the words at both ends, which may overlap.
 */
static bool rest_is_ascii(const uint8_t *bytes, size_t size)
{
    if (size >= 16)
        return !any_high_bit(word_at(bytes) | word_at(bytes + 8) | word_at(bytes + size - 16) |
                             word_at(bytes + size - 8));
    if (size >= 8)
        return !any_high_bit(word_at(bytes) | word_at(bytes + size - 8));
    return false; /* for so few bytes the automaton is as fast */
}

bool steady_utf8_feed(struct steady_utf8 *utf8, const uint8_t *bytes, size_t size)
{
    /* The struct keeps the state in this form, so that a zeroed one is at the start. */
    uint64_t state = utf8->state ^ START;
    for (;;) {
        size_t skipped = state == START ? ascii_blocks(bytes, size) : 0;
        bytes += skipped;
        size -= skipped;
        if (size < BLOCK)
            break;
        state = walk(state, bytes, BLOCK);
        bytes += BLOCK;
        size -= BLOCK;
    }
    if (state != START || !rest_is_ascii(bytes, size))
        state = walk(state, bytes, size);
    utf8->state = (uint8_t)(state ^ START);
    return state != INVALID;
}

bool steady_utf8_complete(const struct steady_utf8 *utf8)
{
    return utf8->state == 0;
}

bool steady_utf8_valid(const uint8_t *bytes, size_t size)
{
    struct steady_utf8 utf8 = {0};
    return steady_utf8_feed(&utf8, bytes, size) && steady_utf8_complete(&utf8);
}
