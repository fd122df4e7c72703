/* An array of bytes that grows. A zeroed struct is an empty buffer. A call that fails leaves the
 * buffer as it was. */
#ifndef STEADY_CORE_BUFFER_H
#define STEADY_CORE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_buffer {
    uint8_t *data;
    size_t size, capacity; /* bytes */
};

/* Makes room for `extra` more bytes behind the bytes in the buffer, and at least doubles the
 * capacity when it has to grow. Returns false when memory is out, or when the size does not fit
 * into a size_t. */
bool steady_buffer_reserve(struct steady_buffer *buffer, size_t extra);

/* Works like steady_buffer_reserve, but the capacity grows beyond `limit` bytes only when `extra`
 * needs it to. */
bool steady_buffer_reserve_within(struct steady_buffer *buffer, size_t extra, size_t limit);

/* These functions append bytes, several texts, or a text that is formatted as by printf. They
 * return false when memory is out. Behind a text there is a NUL byte that `size` does not count, so
 * that `data` can be read as a C string. */
bool steady_buffer_append(struct steady_buffer *buffer, const void *bytes, size_t size);
bool steady_buffer_append_list(struct steady_buffer *buffer, const char *const *texts,
                               size_t count);
#define steady_buffer_append_texts(buffer, ...)                                                    \
    steady_buffer_append_list(buffer, (const char *const[]){__VA_ARGS__},                          \
                              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
bool steady_buffer_printf(struct steady_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool steady_buffer_vprintf(struct steady_buffer *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Returns the text as a block of its own size, which the caller has to free. The buffer is empty
 * then. Returns NULL when the buffer had no memory. */
char *steady_buffer_take_text(struct steady_buffer *buffer);

/* Removes the first `size` bytes (at most buffer->size) and moves the rest to the front. */
void steady_buffer_consume(struct steady_buffer *buffer, size_t size);

/* Removes all bytes. The memory stays for the next use, unless there are more than `keep` bytes of
 * it. */
void steady_buffer_clear(struct steady_buffer *buffer, size_t keep);

/* Gives the memory back; the buffer is empty and can be used again. */
void steady_buffer_free(struct steady_buffer *buffer);

#endif
