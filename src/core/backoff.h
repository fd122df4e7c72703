/* How long to wait before the next attempt: exponential backoff with full jitter. */
#ifndef STEADY_CORE_BACKOFF_H
#define STEADY_CORE_BACKOFF_H

struct steady_backoff {
    double min_delay, max_delay; /* seconds */
    double factor;               /* each failure multiplies the delay by this; at least 1 */
    double jitter;               /* the part of the delay that is random, from 0 to 1 */
};

/* Returns the seconds to wait after `failures` failures in a row, counted from 1. `random` must be
 * in [0, 1). When it is uniform, the result is uniform in [delay * (1 - jitter), delay]. */
double steady_backoff_delay(const struct steady_backoff *backoff, unsigned failures, double random);

/* Returns the seconds to wait when the server has asked for `asked` seconds: that many, and a
 * random part on top, so that clients which were told the same do not all come back at the same
 * time. The random part is at most `jitter` times a tenth of `asked`, or `jitter` times the delay
 * for the failures, if that is longer. */
double steady_backoff_asked(const struct steady_backoff *backoff, unsigned failures, double asked,
                            double random);

#endif
