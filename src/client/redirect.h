/* Follows the redirects of an attempt (RFC 9110 section 15.4): remembers to which URLs they have
 * led, and decides whether the next one is followed. */
#ifndef STEADY_CLIENT_REDIRECT_H
#define STEADY_CLIENT_REDIRECT_H

#include "core/error.h"
#include "core/url.h"
#include "dial/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct has no URL. */
struct steady_trail {
    const struct steady_url *first; /* where the attempt began; belongs to the caller */
    struct steady_url *rest;        /* the URLs to which redirects have led the attempt */
    size_t count;                   /* how many URLs `rest` has */
};

/* Frees the URLs of an earlier attempt and begins at `first`, without any redirect. `first` may be
 * NULL when it is not known yet. */
void steady_trail_begin(struct steady_trail *trail, const struct steady_url *first);

/* Returns the last URL, at which the attempt is now. */
const struct steady_url *steady_trail_end(const struct steady_trail *trail);

/* Returns whether the trail has been at another server than the first one. Then everything that was
 * meant for the first server alone is left out: Authorization and Cookie headers, and the client's
 * certificate. */
bool steady_trail_is_abroad(const struct steady_trail *trail);

/* Returns whether an upgrade failed with the status 301, 302, 303, 307 or 308 and a Location
 * header. */
bool steady_trail_is_redirect(const struct steady_failure *failure);

/* Adds the URL to which such a failure redirects the attempt. Returns STEADY_OK, or an error with a
 * text of at most `size` bytes in `message`, and then leaves the trail as it is. It is an error
 * when the attempt has followed `most` redirects already, has been at that URL, or would go from
 * wss to ws; and when the Location header has no URL of a WebSocket server. */
enum steady_error steady_trail_follow(struct steady_trail *trail,
                                      const struct steady_failure *failure, double most,
                                      char *message, size_t size);

#endif
