#include "core/backoff.h"

#include <math.h>

double steady_backoff_delay(const struct steady_backoff *backoff, unsigned failures, double random)
{
    double growth = pow(backoff->factor, failures > 1 ? failures - 1 : 0);
    /* Growth may have become infinite after long outages; fmin takes care of that, but not of
     * 0 * infinity, which a min_delay of 0 would make. */
    double delay = backoff->min_delay > 0 ? backoff->min_delay * growth : 0;
    delay = fmin(delay, backoff->max_delay);
    return delay * (1 - backoff->jitter * random);
}
