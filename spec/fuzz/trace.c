/* Lines of the log: nothing that is not visible is in one, none is longer than promised, and the
 * frames that are told do not depend on how their bytes are cut. */
#include "core/harmless.h"
#include "core/secrets.h"
#include "core/tap.h"
#include "core/utf8.h"
#include "fuzz.h"

struct collector {
    struct steady_trace trace; /* the first member */
    struct steady_buffer lines;
};

static void collect(struct steady_trace *trace, enum steady_level level, const char *line)
{
    CHECK(level == STEADY_LEVEL_TRACE);
    CHECK(steady_buffer_printf(&((struct collector *)trace)->lines, "%s\n", line));
}

static void check_line(const struct input *rest)
{
    struct input input = *rest;
    char *line = input_string(&input, SIZE_MAX);
    const size_t size = strlen(line);
    char *hidden = malloc(STEADY_SECRETS_MAX * size + 1);
    CHECK(hidden);
    steady_secrets_hide(hidden, line);
    const size_t hidden_size = strlen(hidden);
    CHECK(hidden_size <= STEADY_SECRETS_MAX * size);
    char *shown = malloc(STEADY_HARMLESS_MAX * hidden_size + 1);
    CHECK(shown);
    const size_t length = steady_harmless(shown, (const uint8_t *)hidden, hidden_size);
    CHECK(length == strlen(shown) && length <= STEADY_HARMLESS_MAX * hidden_size);
    CHECK(steady_utf8_valid((const uint8_t *)shown, length));
    for (const char *at = shown; *at; at++)
        CHECK((uint8_t)*at >= ' ' && *at != 127);
    free(shown);
    free(hidden);
    free(line);
}

static void tell(struct collector *collector, struct input input, size_t step)
{
    struct steady_tap tap;
    steady_tap_open(&tap, NULL, 0, 0);
    while (input_left(&input)) {
        size_t size;
        uint8_t *piece = input_copy(&input, step, &size);
        steady_tap_bytes(&tap, &collector->trace, '<', piece, size);
        free(piece);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct collector whole = {{STEADY_LEVEL_TRACE, collect}, {0}}, cut = whole;
    const size_t step = input_byte(&input) + (size_t)1;
    check_line(&input);
    tell(&whole, input, SIZE_MAX);
    tell(&cut, input, step);
    CHECK(whole.lines.size == cut.lines.size);
    CHECK(!whole.lines.size || !memcmp(whole.lines.data, cut.lines.data, whole.lines.size));
    steady_buffer_free(&whole.lines);
    steady_buffer_free(&cut.lines);
    return 0;
}
