/* Counts for how long a loop was kept from polling: by a handler that took long, by a program that
 * did something else between two steps, or because the process was stopped. */
#ifndef STEADY_LOOP_ABSENCE_H
#define STEADY_LOOP_ABSENCE_H

/* The absences of a loop. All times are seconds of uv_hrtime. */
struct steady_absence {
    double seconds;          /* the sum of all absences that have ended */
    double polled_until;     /* the time until which the loop has polled */
    double other_loop_until; /* the time until which another loop polls for this one; 0 when none
                                does */
    double poll_ends_at; /* the time until which the poll that is under way may wait, or INFINITY */
};

void steady_absence_init(struct steady_absence *absence);

/* Returns the sum of all absences in seconds, including the one that is still going on. So a client
 * that begins to wait during a long handler has not waited for the time that this handler took
 * before. */
double steady_absence_total(const struct steady_absence *absence);

/* Have to be called before and after each poll. The poll waits for at most `milliseconds`, or
 * without a limit when that is negative. `now` is the time that libuv has read from the clock after
 * the poll. */
void steady_absence_before_poll(struct steady_absence *absence, int milliseconds);
void steady_absence_after_poll(struct steady_absence *absence, double now);

/* steady_absence_promise notes that another event loop will poll for this one for so many seconds,
 * or without a limit when negative. steady_absence_end_promise ends that promise. */
void steady_absence_promise(struct steady_absence *absence, double seconds);
void steady_absence_end_promise(struct steady_absence *absence);

#endif
