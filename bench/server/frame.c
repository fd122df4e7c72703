#include "frame.h"

#include <string.h>

size_t frame_header(uint8_t *out, uint8_t first, uint64_t size)
{
    unsigned extra = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;
    out[0] = first;
    out[1] = extra == 8 ? 127 : extra ? 126 : (uint8_t)size;
    for (unsigned i = 0; i < extra; i++)
        out[2 + i] = (uint8_t)(size >> (8 * (extra - 1 - i)));
    return 2 + extra;
}

void frame_send(struct connection *c, uint8_t first, const void *payload, size_t size)
{
    uint8_t frame[LONGEST_HEADER + 256];
    size_t header = frame_header(frame, first, size);
    memcpy(frame + header, payload, size);
    connection_send(c, frame, header + size);
}
