#include "core/backoff.h"

#include <math.h>

double steady_backoff_delay(const struct steady_backoff *backoff, unsigned failures, double random)
{
    double growth = pow(backoff->factor, failures > 1 ? failures - 1 : 0);
    /* After many failures growth is infinite. fmin handles that, but not the NaN that 0 * infinity
     * would give for a min_delay of 0. */
    double delay = backoff->min_delay > 0 ? backoff->min_delay * growth : 0;
    delay = fmin(delay, backoff->max_delay);
    return delay * (1 - backoff->jitter * random);
}
