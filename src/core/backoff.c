#include "core/backoff.h"

#include <math.h>

/* Returns the delay without its random part. */
static double full_delay(const struct steady_backoff *backoff, unsigned failures)
{
    double growth = pow(backoff->factor, failures > 1 ? failures - 1 : 0);
    /* After many failures `growth` is infinite, which fmin can handle. For a min_delay of 0 it
     * would give 0 * infinity, which is not a number. */
    double delay = backoff->min_delay > 0 ? backoff->min_delay * growth : 0;
    return fmin(delay, backoff->max_delay);
}

double steady_backoff_delay(const struct steady_backoff *backoff, unsigned failures, double random)
{
    return full_delay(backoff, failures) * (1 - backoff->jitter * random);
}

double steady_backoff_asked(const struct steady_backoff *backoff, unsigned failures, double asked,
                            double random)
{
    double spread = fmax(asked / 10, full_delay(backoff, failures));
    return asked + spread * backoff->jitter * random;
}
