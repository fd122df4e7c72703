/* Decompression of anything: never more than the bound, in memory and in result. */
#include "core/deflate.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t flags = input_byte(&input);
    size_t max = input_number(&input), step = input_number(&input) % 300 + 1;
    struct steady_deflate_side side = {(uint8_t)(8 + flags % 8), flags & 8};
    struct steady_deflate_parameters parameters = {
        .on = true, .client = side, .server = side, .level = 6};
    struct steady_deflate deflate;
    struct steady_buffer out = {0};
    steady_deflate_init(&deflate, &parameters);
    while (input_left(&input)) {
        bool last = input_byte(&input) & 1;
        size_t piece_size;
        uint8_t *piece = input_copy(&input, step, &piece_size);
        enum steady_inflate_result result =
            steady_inflate_piece(&deflate, piece, piece_size, last, max, &out);
        free(piece);
        /* The one byte over the bound is what shows that there is too much. */
        CHECK(out.size <= max + (result == STEADY_INFLATE_TOO_LARGE) && out.capacity <= max + 1);
        CHECK(result != STEADY_INFLATE_OUT_OF_MEMORY);
        if (result != STEADY_INFLATED)
            break;
        if (last)
            out.size = 0;
    }
    steady_buffer_free(&out);
    steady_deflate_free(&deflate);
    return 0;
}
