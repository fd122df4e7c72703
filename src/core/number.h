/* From wide numbers to narrower ones. What does not fit becomes the nearest number that does, so
 * that a bound over all memory means no bound, on 32 bits as on 64. No other file casts a
 * floating-point number to an integer, or 64 bits to fewer (`make lint` looks). */
#ifndef STEADY_CORE_NUMBER_H
#define STEADY_CORE_NUMBER_H

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Rounded down; 0 for a negative number, and for what is no number. */
static inline uint64_t steady_uint64(double value)
{
    if (!(value > 0))
        return 0;
    return value < 0x1p64 ? (uint64_t)value : UINT64_MAX;
}

/* The smaller of the two. */
static inline size_t steady_at_most(size_t limit, uint64_t value)
{
    return value < limit ? (size_t)value : limit;
}

/* Bytes or messages. */
static inline size_t steady_size(double value)
{
    return steady_at_most(SIZE_MAX, steady_uint64(value));
}

/* Of a Lua integer, for one. */
static inline int steady_narrow(int64_t value)
{
    return value < INT_MIN ? INT_MIN : value > INT_MAX ? INT_MAX : (int)value;
}

/* Rounded towards zero; 0 for what is no number. */
static inline int steady_int(double value)
{
    return isnan(value) ? 0 : (int)fmin(fmax(value, INT_MIN), INT_MAX);
}

#endif
