/* UTF-8: the automaton, in pieces of any size, against a decoder written from RFC 3629's table. */
#include "core/utf8.h"
#include "fuzz.h"

/* The bytes of the character that begins at `at`, 0 when none does. */
static size_t character(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t more;
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        more = 1;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        more = 2;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        more = 3;
    else
        return 0;
    if (at[0] == 0xE0)
        low = 0xA0;
    if (at[0] == 0xED)
        high = 0x9F;
    if (at[0] == 0xF0)
        low = 0x90;
    if (at[0] == 0xF4)
        high = 0x8F;
    if (left < more + 1 || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i <= more; i++)
        if (at[i] < 0x80 || at[i] > 0xBF)
            return 0;
    return more + 1;
}

static bool is_valid(const uint8_t *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = character(text + at, size - at);
        if (!length)
            return false;
        at += length;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    size_t step = input_byte(&input) + (size_t)1;
    struct steady_utf8 utf8 = {0};
    bool expected = is_valid(input.at, input_left(&input)), good = true;
    CHECK(steady_utf8_valid(input.at, input_left(&input)) == expected);
    while (input_left(&input)) {
        size_t piece_size;
        uint8_t *piece = input_copy(&input, step, &piece_size);
        bool now = steady_utf8_feed(&utf8, piece, piece_size);
        CHECK(good || !now); /* once invalid, always invalid */
        good = now;
        free(piece);
    }
    CHECK((good && steady_utf8_complete(&utf8)) == expected);
    return 0;
}
