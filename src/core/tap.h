/* Watches the frames of one direction of a connection (RFC 6455 section 5.2) and writes a line of
 * the level trace for each frame. It is not a part of core/protocol, so a connection whose frames
 * nobody watches does no additional work. */
#ifndef STEADY_CORE_TAP_H
#define STEADY_CORE_TAP_H

#include "core/frame.h"
#include "core/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_TAP_SHOWN 60 /* bytes of a payload that a line shows */

/* A zeroed struct is not open, and watches nothing until steady_tap_open. */
struct steady_tap {
    bool open;
    bool line_done; /* whether the present frame has got its line, or gets none */
    uint8_t header_size, shown_size;
    uint8_t header[STEADY_FRAME_HEADER_MAX]; /* the part of that frame's header that has arrived */
    uint8_t shown[STEADY_TAP_SHOWN];         /* the beginning of its payload, unmasked */
    uint64_t left;                           /* bytes of its payload that have not arrived */
};

/* Begins to watch in the middle of a connection. When `size` is not 0, `header` has the first bytes
 * of a frame's header that have passed already. When `left` is not 0, the header has passed as a
 * whole, and `left` bytes of the payload have not passed; such a frame gets no line. */
void steady_tap_open(struct steady_tap *tap, const uint8_t *header, size_t size, uint64_t left);

/* Takes the next bytes. `direction` is '>' for bytes that we send, and '<' for bytes that we
 * receive. */
void steady_tap_bytes(struct steady_tap *tap, struct steady_trace *trace, int direction,
                      const uint8_t *bytes, size_t size);

#endif
