/* Bytes that grow. A zeroed struct is an empty buffer; after a failed call it is as it was. */
#ifndef STEADY_CORE_BUFFER_H
#define STEADY_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_buffer {
    uint8_t *data;
    size_t size, capacity; /* bytes */
};

/* Makes room for `extra` more bytes behind those held, doubling what is there; false: out of
 * memory, or the sum does not fit a size_t. */
bool steady_buffer_reserve(struct steady_buffer *buffer, size_t extra);

/* The same, but what is doubled stays within `limit` bytes as far as `extra` allows. */
bool steady_buffer_reserve_within(struct steady_buffer *buffer, size_t extra, size_t limit);

/* Both false when out of memory. `format` is printf's; the terminating NUL is not counted in size
 * but is there, so that `data` can be read as a C string. */
bool steady_buffer_append(struct steady_buffer *buffer, const void *bytes, size_t size);
bool steady_buffer_printf(struct steady_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets the first `size` bytes (at most buffer->size) and moves the rest to the front. */
void steady_buffer_consume(struct steady_buffer *buffer, size_t size);

/* Forgets all that is held. The memory stays for the next use, unless it is over `keep` bytes. */
void steady_buffer_clear(struct steady_buffer *buffer, size_t keep);

/* Gives the memory back; the buffer is empty and can be used again. */
void steady_buffer_free(struct steady_buffer *buffer);

#endif
