/* Counts for how long a loop was kept from polling: by a handler that took long, by a program that
 * did something else between two steps, or because the process was stopped. */
#ifndef STEADY_LOOP_ABSENCE_H
#define STEADY_LOOP_ABSENCE_H

/* All times are seconds of uv_hrtime. */
struct steady_absence {
    double seconds;  /* the sum of all absences that have ended */
    double attended; /* the loop has polled until this time */
    double promised; /* another loop polls for this one until this time; 0 when none does */
    double polls_to; /* the poll that is under way may wait until this time, or INFINITY */
};

void steady_absence_init(struct steady_absence *absence);

/* Returns the sum of all absences, including the one that is still going on. So a client that
 * begins to wait during a long handler has not waited for the time that this handler took before.
 */
double steady_absence_total(const struct steady_absence *absence);

/* The loop is about to poll for so many milliseconds at most, or without a limit when negative. It
 * has polled, and libuv has read the clock since: now. */
void steady_absence_before_poll(struct steady_absence *absence, int milliseconds);
void steady_absence_after_poll(struct steady_absence *absence, double now);

/* Another event loop will poll for this one for so many seconds, or without a limit when negative.
 */
void steady_absence_promise(struct steady_absence *absence, double seconds);
void steady_absence_end_promise(struct steady_absence *absence);

#endif
