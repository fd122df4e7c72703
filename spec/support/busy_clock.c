/* For LD_PRELOAD: whoever reads the monotonic clock loses a millisecond by it, as if another
 * process had the processor between any two readings. The kernel is asked itself, since dlsym
 * allocates, which a sanitizer does not expect of a clock. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long lost; /* ns */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) {
        long nanoseconds = now->tv_nsec + atomic_fetch_add(&lost, 1000000);
        now->tv_sec += nanoseconds / 1000000000;
        now->tv_nsec = nanoseconds % 1000000000;
    }
    return result;
}
