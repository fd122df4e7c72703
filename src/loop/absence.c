#include "loop/absence.h"

#include <math.h>
#include <uv.h>

#define ALLOWED 0.1 /* seconds of a turn outside of polling that do not count as an absence */

static double exact_time(void)
{
    return (double)uv_hrtime() / 1e9;
}

/* Returns the time since when nobody has polled. */
static double left_at(const struct steady_absence *absence)
{
    return fmax(absence->polled_until, absence->other_loop_until);
}

void steady_absence_init(struct steady_absence *absence)
{
    *absence = (struct steady_absence){.polled_until = exact_time()};
}

double steady_absence_total(const struct steady_absence *absence)
{
    return absence->seconds + fmax(exact_time() - left_at(absence) - ALLOWED, 0);
}

/* Counts an absence: the loop should have polled since `from`, and it polls `now`. */
static void count(struct steady_absence *absence, double from, double now)
{
    absence->seconds += fmax(now - from - ALLOWED, 0);
    absence->polled_until = now;
    absence->other_loop_until = 0;
}

void steady_absence_before_poll(struct steady_absence *absence, int milliseconds)
{
    count(absence, left_at(absence), exact_time());
    absence->poll_ends_at =
        milliseconds < 0 ? INFINITY : absence->polled_until + milliseconds / 1000.0;
}

/* When a poll has taken longer than its limit, the whole process was stopped meanwhile. */
void steady_absence_after_poll(struct steady_absence *absence, double now)
{
    count(absence, absence->poll_ends_at, now);
}

void steady_absence_promise(struct steady_absence *absence, double seconds)
{
    absence->other_loop_until = seconds < 0 ? INFINITY : exact_time() + seconds;
}

void steady_absence_end_promise(struct steady_absence *absence)
{
    if (absence->other_loop_until == 0)
        return;
    absence->polled_until = exact_time();
    absence->other_loop_until = 0;
}
