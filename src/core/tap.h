/* Watches the frames of one direction of a connection (RFC 6455 section 5.2) as they pass, and
 * writes a line of the level trace for each. It stands beside core/protocol, which knows nothing of
 * it: a connection that nobody watches pays nothing for it. */
#ifndef STEADY_CORE_TAP_H
#define STEADY_CORE_TAP_H

#include "core/frame.h"
#include "core/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_TAP_SHOWN 60 /* bytes of a payload */

/* A zeroed struct watches nothing. */
struct steady_tap {
    bool open;
    bool told; /* the frame that is under way has its line */
    uint8_t header_size, shown_size;
    uint8_t header[STEADY_FRAME_HEADER_MAX]; /* of that frame, as far as it came */
    uint8_t shown[STEADY_TAP_SHOWN];         /* the beginning of its payload, unmasked */
    uint64_t left;                           /* of its payload, bytes that have not come */
};

/* Begins where so many bytes of a frame's header have passed (0: between two frames); or where its
 * header is through, and `left` bytes of its payload are not. Such a frame gets no line. */
void steady_tap_open(struct steady_tap *tap, const uint8_t *header, size_t size, uint64_t left);

/* The next bytes. direction: '>' when we send them, '<' when they come. */
void steady_tap_bytes(struct steady_tap *tap, struct steady_trace *trace, int direction,
                      const uint8_t *bytes, size_t size);

#endif
