/* How long to wait before the next attempt: exponential backoff with full jitter. */
#ifndef STEADY_CORE_BACKOFF_H
#define STEADY_CORE_BACKOFF_H

struct steady_backoff {
    double min_delay, max_delay; /* seconds */
    double factor;               /* the delay grows by it with each failure; at least 1 */
    double jitter;               /* 0: none, 1: anything between no delay and the whole one */
};

/* Seconds to wait after `failures` failures in a row (1 for the first), uniform in
 * [delay * (1 - jitter), delay] for a random number in [0, 1). */
double steady_backoff_delay(const struct steady_backoff *backoff, unsigned failures, double random);

#endif
