/* The buffers into which all streams of a loop read, and from which they write. */
#ifndef STEADY_DIAL_STREAM_BUFFERS_H
#define STEADY_DIAL_STREAM_BUFFERS_H

#include "loop/loop.h"

#include <stdint.h>

#define STEADY_READ_SIZE  (256 * 1024) /* bytes that one read takes at most */
#define STEADY_WRITE_SIZE (512 * 1024) /* bytes that one write takes at most */

struct steady_stream_buffers {
    struct steady_service service; /* the first member */
    uint8_t *read, *write;
};

/* Returns the buffers of a loop, which stay until the loop is closed, or NULL when memory is out.
 */
const struct steady_stream_buffers *steady_stream_buffers(struct steady_loop *loop);

#endif
