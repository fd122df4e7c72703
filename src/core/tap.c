#include "core/tap.h"

#include "core/harmless.h"
#include "core/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void steady_tap_open(struct steady_tap *tap, const uint8_t *header, size_t size, uint64_t left)
{
    *tap = (struct steady_tap){.open = true, .line_done = left > 0, .left = left};
    if (size > 0)
        memcpy(tap->header, header, size);
    tap->header_size = (uint8_t)size;
}

/* ------------------------------------------------------------------------- a line */

static const char *name_of(uint8_t opcode)
{
    switch (opcode) {
    case STEADY_OPCODE_CONTINUATION:
        return "continuation";
    case STEADY_OPCODE_TEXT:
        return "text";
    case STEADY_OPCODE_BINARY:
        return "binary";
    case STEADY_OPCODE_CLOSE:
        return "close";
    case STEADY_OPCODE_PING:
        return "ping";
    case STEADY_OPCODE_PONG:
        return "pong";
    default:
        return NULL;
    }
}

/* Appends the opcode and the flags, such as "text, FIN RSV1, ". A server must not mask its frames.
 * So "masked" is shown for a received frame, and is not shown for a sent one, which is always
 * masked. */
static void append_kind(struct steady_buffer *line, const uint8_t *header, int direction)
{
    const uint8_t first = header[0];
    const char *name = name_of(first & STEADY_FRAME_OPCODE);
    if (name)
        steady_buffer_printf(line, "%c %s", direction, name);
    else
        steady_buffer_printf(line, "%c opcode 0x%X", direction, first & STEADY_FRAME_OPCODE);
    const char *before = ", ";
    const struct {
        bool set;
        const char *name;
    } flags[] = {
        {first & STEADY_FRAME_FIN, "FIN"},
        {first & STEADY_FRAME_RSV1, "RSV1"},
        {first & STEADY_FRAME_RSV2, "RSV2"},
        {first & STEADY_FRAME_RSV3, "RSV3"},
        {direction == '<' && header[1] & STEADY_FRAME_MASKED, "masked"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].set) {
            steady_buffer_printf(line, "%s%s", before, flags[i].name);
            before = " ";
        }
}

static void append_payload(struct steady_buffer *line, const struct steady_tap *tap)
{
    char text[STEADY_HARMLESS_MAX * STEADY_TAP_SHOWN + 1];
    const bool close = (tap->header[0] & STEADY_FRAME_OPCODE) == STEADY_OPCODE_CLOSE;
    const uint8_t *payload = tap->shown;
    size_t size = tap->shown_size;
    if (close && size >= 2) {
        steady_buffer_printf(line, ", code %u", (unsigned)payload[0] << 8 | payload[1]);
        payload += 2;
        size -= 2;
    }
    if (size == 0)
        return;
    steady_harmless(text, payload, size);
    steady_buffer_printf(line, ": %s%s", text,
                         steady_frame_length(tap->header) > STEADY_TAP_SHOWN ? "…" : "");
}

static void tell(struct steady_tap *tap, struct steady_trace *trace, int direction)
{
    struct steady_buffer line = {0};
    const uint64_t length = steady_frame_length(tap->header);
    append_kind(&line, tap->header, direction);
    steady_buffer_printf(&line, ", %" PRIu64 " byte%s", length, length == 1 ? "" : "s");
    append_payload(&line, tap);
    if (line.data)
        steady_trace_line(trace, STEADY_LEVEL_TRACE, "%s", (const char *)line.data);
    steady_buffer_free(&line);
    tap->line_done = true;
}

/* ------------------------------------------------------------------------- bytes */

static size_t header_wanted(const struct steady_tap *tap)
{
    if (tap->header_size < 2)
        return 2;
    return 2 + steady_frame_length_bytes(tap->header[1]) +
           (tap->header[1] & STEADY_FRAME_MASKED ? 4 : 0);
}

/* Returns whether the header is complete. */
static bool take_header(struct steady_tap *tap, const uint8_t **bytes, size_t *size)
{
    while (*size > 0 && tap->header_size < header_wanted(tap)) {
        tap->header[tap->header_size++] = *(*bytes)++;
        --*size;
    }
    if (tap->header_size < header_wanted(tap))
        return false;
    tap->left = steady_frame_length(tap->header);
    tap->shown_size = 0;
    tap->line_done = false;
    return true;
}

static void take_payload(struct steady_tap *tap, const uint8_t **bytes, size_t *size)
{
    size_t taken = steady_at_most(*size, tap->left);
    size_t shown = STEADY_TAP_SHOWN - tap->shown_size;
    if (!tap->line_done) {
        const bool masked = tap->header[1] & STEADY_FRAME_MASKED;
        static const uint8_t none[4];
        shown = shown < taken ? shown : taken;
        steady_frame_mask(tap->shown + tap->shown_size, *bytes, shown,
                          masked ? tap->header + tap->header_size - 4 : none, tap->shown_size);
        tap->shown_size = (uint8_t)(tap->shown_size + shown);
    }
    *bytes += taken;
    *size -= taken;
    tap->left -= taken;
}

void steady_tap_bytes(struct steady_tap *tap, struct steady_trace *trace, int direction,
                      const uint8_t *bytes, size_t size)
{
    bool in_payload = tap->left > 0;
    while (size > 0) {
        if (!in_payload && !take_header(tap, &bytes, &size))
            return;
        take_payload(tap, &bytes, &size);
        in_payload = tap->left > 0;
        if (!tap->line_done && (!in_payload || tap->shown_size == STEADY_TAP_SHOWN))
            tell(tap, trace, direction);
        if (!in_payload)
            tap->header_size = 0;
    }
}
