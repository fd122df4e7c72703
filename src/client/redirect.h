/* The redirects of an attempt (RFC 9110 section 15.4): which URLs they have led to, and whether the
 * next one is followed. */
#ifndef STEADY_CLIENT_REDIRECT_H
#define STEADY_CLIENT_REDIRECT_H

#include "core/error.h"
#include "core/url.h"
#include "dial/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct has no URL. */
struct steady_trail {
    const struct steady_url *first; /* where the attempt began: not ours */
    struct steady_url *rest;        /* where redirects have led it */
    size_t count;                   /* of these */
};

/* Begins at `first`, without any redirect. */
void steady_trail_begin(struct steady_trail *trail, const struct steady_url *first);

/* Returns the last URL, at which the attempt is now. */
const struct steady_url *steady_trail_end(const struct steady_trail *trail);

/* Returns whether the trail has been at another server than the first one. Then everything that was
 * meant for the first server alone stays behind: Authorization and Cookie headers, and a client's
 * certificate. */
bool steady_trail_is_abroad(const struct steady_trail *trail);

/* Returns whether an upgrade failed by 301, 302, 303, 307 or 308 with a Location. */
bool steady_trail_is_redirect(const struct steady_failure *failure);

/* Goes where such an answer points. Returns STEADY_OK; or an error with a text in message, and
 * leaves the trail as it is: when there have been `most` redirects already, when it has been there,
 * when that would be a step from wss to ws, or when there is no WebSocket URL to go to. */
enum steady_error steady_trail_follow(struct steady_trail *trail,
                                      const struct steady_failure *failure, double most,
                                      char *message, size_t size);

#endif
