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
    return fmax(absence->attended, absence->promised);
}

void steady_absence_init(struct steady_absence *absence)
{
    *absence = (struct steady_absence){.attended = exact_time()};
}

double steady_absence_total(const struct steady_absence *absence)
{
    return absence->seconds + fmax(exact_time() - left_at(absence) - ALLOWED, 0);
}

/* Counts an absence: the loop should have polled since `from`, and it polls `now`. */
static void count(struct steady_absence *absence, double from, double now)
{
    absence->seconds += fmax(now - from - ALLOWED, 0);
    absence->attended = now;
    absence->promised = 0;
}

void steady_absence_before_poll(struct steady_absence *absence, int milliseconds)
{
    count(absence, left_at(absence), exact_time());
    absence->polls_to = milliseconds < 0 ? INFINITY : absence->attended + milliseconds / 1000.0;
}

/* When a poll has taken longer than its limit, the whole process was stopped meanwhile. */
void steady_absence_after_poll(struct steady_absence *absence, double now)
{
    count(absence, absence->polls_to, now);
}

void steady_absence_promise(struct steady_absence *absence, double seconds)
{
    absence->promised = seconds < 0 ? INFINITY : exact_time() + seconds;
}

void steady_absence_end_promise(struct steady_absence *absence)
{
    if (absence->promised == 0)
        return;
    absence->attended = exact_time();
    absence->promised = 0;
}
