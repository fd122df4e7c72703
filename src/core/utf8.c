#include "core/utf8.h"

#include <string.h>

/* A finite automaton over the bytes, RFC 3629 section 4. Each byte has one row: a 64-bit word with,
 * at the bit position that is a state's number, the number of the state that follows. So a step is
 * a load, which does not depend on the state, and a shift. A state's number must be a multiple of 6
 * for that, and what a row does not name leads to state 0, which it never leaves: invalid. */
enum {
    INVALID = 0,
    START = 6,   /* at the end of a character */
    NEED_1 = 12, /* continuation bytes missing */
    NEED_2 = 18,
    NEED_3 = 24,
    AFTER_E0 = 30, /* the second byte decides: overlong below A0 */
    AFTER_ED = 36, /* surrogates from A0 on */
    AFTER_F0 = 42, /* overlong below 90 */
    AFTER_F4 = 48, /* over U+10FFFF from 90 on */
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
    /* F4 */ GO(START, AFTER_F4), /* F5 to FF: in no text */
};
/* clang-format on */

/* The bits over STATE_MASK are left over from the row. */
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

/* The bytes of whole blocks that are ASCII, from the first on. */
static size_t ascii_blocks(const uint8_t *bytes, size_t size)
{
    size_t ascii = 0;
    while (size - ascii >= BLOCK && block_is_ascii(bytes + ascii))
        ascii += BLOCK;
    return ascii;
}

/* For less than a block: the words at both ends, which may overlap. */
static bool rest_is_ascii(const uint8_t *bytes, size_t size)
{
    if (size >= 16)
        return !any_high_bit(word_at(bytes) | word_at(bytes + 8) | word_at(bytes + size - 16) |
                             word_at(bytes + size - 8));
    if (size >= 8)
        return !any_high_bit(word_at(bytes) | word_at(bytes + size - 8));
    return false; /* no faster than to walk */
}

bool steady_utf8_feed(struct steady_utf8 *utf8, const uint8_t *bytes, size_t size)
{
    uint64_t state = utf8->state ^ START; /* kept this way round: a zeroed struct is at the start */
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
