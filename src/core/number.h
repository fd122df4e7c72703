/* Turns wide numbers into narrower ones. A number that does not fit becomes the nearest number that
 * fits, so that a bound beyond all memory means no bound, on 32 bits as on 64. No other file casts
 * a floating-point number to an integer, or 64 bits to fewer; `make lint` checks that. */
#ifndef STEADY_CORE_NUMBER_H
#define STEADY_CORE_NUMBER_H

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Rounds down. Negative numbers and NaN become 0. */
static inline uint64_t steady_uint64(double value)
{
    if (!(value > 0))
        return 0;
    return value < 0x1p64 ? (uint64_t)value : UINT64_MAX;
}

/* Returns the smaller of the two numbers. */
static inline size_t steady_at_most(size_t limit, uint64_t value)
{
    return value < limit ? (size_t)value : limit;
}

/* Rounds down to a count of bytes or messages. */
static inline size_t steady_size(double value)
{
    return steady_at_most(SIZE_MAX, steady_uint64(value));
}

/* Narrows an integer, for example one of Lua's. */
static inline int steady_narrow(int64_t value)
{
    return value < INT_MIN ? INT_MIN : value > INT_MAX ? INT_MAX : (int)value;
}

/* Rounds towards zero. NaN becomes 0. */
static inline int steady_int(double value)
{
    return isnan(value) ? 0 : (int)fmin(fmax(value, INT_MIN), INT_MAX);
}

#endif
