/* Reads the Retry-After header (RFC 9110 section 10.2.3). */
#ifndef STEADY_CORE_RETRY_AFTER_H
#define STEADY_CORE_RETRY_AFTER_H

#include <stdint.h>

/* Returns how many seconds to wait from now on, or 0 for a date in the past and for a value that is
 * wrong. `value` is a number of seconds, or a date in one of the three forms of RFC 9110 section
 * 5.6.7. `now` is the time in seconds since 1970 (UTC). */
double steady_retry_after(const char *value, int64_t now);

#endif
