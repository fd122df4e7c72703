/* URLs whose servers have asked, by Retry-After, not to be asked again before some time. A few are
 * remembered, in a struct without any memory of its own. */
#ifndef STEADY_CORE_HOLDS_H
#define STEADY_CORE_HOLDS_H

#include "core/url.h"

#include <stddef.h>
#include <stdint.h>

#define STEADY_HOLDS_MAX 16 /* when there are more, the one that ends first is forgotten */

/* A zeroed struct holds nothing back. A URL counts without its query, which may be new for each
 * attempt, as a token is. */
struct steady_holds {
    struct {
        uint64_t
            url; /* a hash: two URLs of one client that share it wait for each other, no more */
        double until; /* seconds, on the caller's clock */
    } list[STEADY_HOLDS_MAX];
};

/* Holds the URL back until then, whatever was said before. */
void steady_holds_set(struct steady_holds *holds, const struct steady_url *url, double until);

/* The URL is not held back any more. */
void steady_holds_end(struct steady_holds *holds, const struct steady_url *url);

/* Returns until when the URL is held back; 0: it is not. */
double steady_holds_until(const struct steady_holds *holds, const struct steady_url *url);

/* Returns the index of the URL whose turn it is: from `turn` on, the first that is not held back,
 * or, when all are, the one that is for the shortest time. count: at least 1. */
size_t steady_holds_choose(const struct steady_holds *holds, const struct steady_url *urls,
                           size_t count, size_t turn, double now);

#endif
