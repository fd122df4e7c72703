#include "core/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 64 /* bytes */

bool steady_buffer_reserve(struct steady_buffer *buffer, size_t extra)
{
    return steady_buffer_reserve_within(buffer, extra, SIZE_MAX);
}

bool steady_buffer_reserve_within(struct steady_buffer *buffer, size_t extra, size_t limit)
{
    if (extra <= buffer->capacity - buffer->size)
        return true;
    if (extra > SIZE_MAX - buffer->size)
        return false;
    size_t capacity = buffer->capacity < SMALLEST / 2 ? SMALLEST : buffer->capacity;
    if (capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity > limit)
        capacity = limit;
    if (capacity < buffer->size + extra)
        capacity = buffer->size + extra;
    uint8_t *data = realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool steady_buffer_append(struct steady_buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0)
        return true; /* memcpy must not be given NULL, which both pointers may be */
    if (!steady_buffer_reserve(buffer, size))
        return false;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return true;
}

bool steady_buffer_append_list(struct steady_buffer *buffer, const char *const *texts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(texts[i]);
    if (!steady_buffer_reserve(buffer, size + 1))
        return false;
    char *end = (char *)buffer->data + buffer->size;
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, texts[i]);
    *end = '\0';
    buffer->size += size;
    return true;
}

bool steady_buffer_vprintf(struct steady_buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    size_t room = buffer->capacity - buffer->size;
    char *end = room ? (char *)buffer->data + buffer->size : NULL;
    int length = vsnprintf(end, room, format, arguments);
    bool fits = length >= 0 && (size_t)length < room;
    if (length >= 0 && !fits && steady_buffer_reserve(buffer, (size_t)length + 1)) {
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
        fits = true;
    }
    if (fits)
        buffer->size += (size_t)length;
    va_end(again);
    return fits;
}

bool steady_buffer_printf(struct steady_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool appended = steady_buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
    return appended;
}

char *steady_buffer_take_text(struct steady_buffer *buffer)
{
    char *text = (char *)buffer->data;
    char *small = text ? realloc(text, buffer->size + 1) : NULL;
    *buffer = (struct steady_buffer){0};
    return small ? small : text;
}

void steady_buffer_consume(struct steady_buffer *buffer, size_t size)
{
    buffer->size -= size;
    if (size > 0 && buffer->size > 0)
        memmove(buffer->data, buffer->data + size, buffer->size);
}

void steady_buffer_clear(struct steady_buffer *buffer, size_t keep)
{
    buffer->size = 0;
    if (buffer->capacity > keep)
        steady_buffer_free(buffer);
}

void steady_buffer_free(struct steady_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct steady_buffer){0};
}
