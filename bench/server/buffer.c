#include "buffer.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

void buffer_reserve(struct buffer *buffer, size_t size)
{
    const size_t held = buffer->end - buffer->begin;
    if (buffer->capacity - buffer->begin >= size)
        return;
    if (buffer->begin > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->begin, held);
        buffer->begin = 0;
        buffer->end = held;
    }
    if (buffer->capacity >= size)
        return;
    buffer->capacity = size;
    buffer->bytes = realloc(buffer->bytes, size);
    check(buffer->bytes, "realloc");
}
