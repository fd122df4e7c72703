/* Where a redirect leads: references relative to a URL (RFC 3986 section 5.2), as a Location header
 * has them (RFC 9110 section 10.2.2). */
#ifndef STEADY_CORE_REFERENCE_H
#define STEADY_CORE_REFERENCE_H

#include "core/url.h"

#include <stdbool.h>

/* Makes the URL that a reference means in a document at `base`. The schemes http and https stand
 * for ws and wss, and a fragment is left out, since these have none. A URL of the same server has
 * the user and the password of `base`, unless it has its own. Returns NULL; or what is wrong, as
 * steady_url_parse does, and leaves nothing to be freed. */
const char *steady_reference_resolve(struct steady_url *url, const struct steady_url *base,
                                     const char *reference);

/* Whether scheme, host and port are the same, or the socket. */
bool steady_reference_same_server(const struct steady_url *a, const struct steady_url *b);

#endif
