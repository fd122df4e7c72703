/* A piece of a text that is read from its front to its end. */
#ifndef STEADY_CORE_SLICE_H
#define STEADY_CORE_SLICE_H

#include "core/ascii.h"

#include <stdbool.h>
#include <stddef.h>

struct steady_slice {
    const char *at;
    size_t size;
};

static inline const char *steady_slice_end(struct steady_slice slice)
{
    return slice.at + slice.size;
}

/* Returns the first byte that is in the set, or the end. */
static inline const char *steady_slice_find(struct steady_slice slice, const char *set)
{
    const char *at = slice.at;
    while (at < steady_slice_end(slice) && !steady_is_one_of(*at, set))
        at++;
    return at;
}

/* Removes everything before `end` from the slice, and returns it. */
static inline struct steady_slice steady_slice_cut(struct steady_slice *slice, const char *end)
{
    struct steady_slice front = {slice->at, (size_t)(end - slice->at)};
    slice->at = end;
    slice->size -= front.size;
    return front;
}

static inline void steady_slice_skip(struct steady_slice *slice, size_t size)
{
    slice->at += size;
    slice->size -= size;
}

static inline bool steady_slice_starts_with(struct steady_slice slice, const char *lower_case)
{
    for (size_t i = 0; lower_case[i]; i++)
        if (i == slice.size || steady_lower(slice.at[i]) != lower_case[i])
            return false;
    return true;
}

/* Removes the next byte, which may be percent-escaped, and returns its value. */
static inline char steady_slice_take_decoded(struct steady_slice *slice)
{
    char c = *slice->at;
    size_t used = 1;
    if (c == '%') {
        c = (char)(steady_hex_value(slice->at[1]) * 16 + steady_hex_value(slice->at[2]));
        used = 3;
    }
    steady_slice_skip(slice, used);
    return c;
}

#endif
