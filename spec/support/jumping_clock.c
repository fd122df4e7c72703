/* For LD_PRELOAD: the wall clock jumps with every tenth of a second, five hours ahead of the real
 * time and seven behind it in turns. The monotonic clock is left alone. The kernel is asked itself,
 * since dlsym allocates, which a sanitizer does not expect of a clock. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t jump(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_nsec / 100000000 % 2 ? 5 * 3600 : -7 * 3600;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec jumped;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &jumped);
    *now = (struct timeval){.tv_sec = jumped.tv_sec, .tv_usec = jumped.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result)
        *result = now.tv_sec;
    return now.tv_sec;
}
