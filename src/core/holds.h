/* Remembers a few URLs whose servers have asked, by Retry-After, not to be called again before a
 * certain time. Most clients never meet such a server, so memory is taken when one is met. */
#ifndef STEADY_CORE_HOLDS_H
#define STEADY_CORE_HOLDS_H

#include "core/url.h"

#include <stddef.h>
#include <stdint.h>

#define STEADY_HOLDS_MAX 16 /* when there are more, the one whose time ends first is forgotten */

/* A zeroed struct remembers no URL. The query of a URL does not count, because it may be new for
 * each attempt, for example when it has a token. */
struct steady_holds {
    struct steady_hold {
        uint64_t url; /* a hash; when two URLs of a client have the same hash, they only wait for
                         each other */
        double until; /* seconds, on the caller's clock */
    } * list;         /* STEADY_HOLDS_MAX URLs; NULL when no URL was ever remembered */
};

/* Remembers that the URL must not be used before the time `until`, which replaces an earlier one.
 * When memory is out, the URL may be used again at once. */
void steady_holds_set(struct steady_holds *holds, const struct steady_url *url, double until);

/* Forgets the URL, which may be used again. */
void steady_holds_end(struct steady_holds *holds, const struct steady_url *url);

void steady_holds_free(struct steady_holds *holds);

/* Returns the time before which the URL must not be used, or 0 when it may be used. */
double steady_holds_until(const struct steady_holds *holds, const struct steady_url *url);

/* Returns the index of the URL to use next: from index `turn` on, the first one that may be used;
 * or, when none may be used, the one that may be used soonest. `count` must be at least 1. */
size_t steady_holds_choose(const struct steady_holds *holds, const struct steady_url *urls,
                           size_t count, size_t turn, double now);

#endif
