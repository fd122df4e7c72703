/* Bytes that wait to be used. */
#ifndef BENCH_BUFFER_H
#define BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t begin, end, capacity; /* what is in it and not used yet is from begin to end */
};

/* Room for so many bytes from `begin` on. */
void buffer_reserve(struct buffer *buffer, size_t size);

#endif
