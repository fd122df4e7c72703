/* Finds out where a redirect leads. The Location header has a reference that is relative to the URL
 * of the request (RFC 9110 section 10.2.2, RFC 3986 section 5.2). */
#ifndef STEADY_CORE_REFERENCE_H
#define STEADY_CORE_REFERENCE_H

#include "core/url.h"

#include <stdbool.h>

/* Makes the URL that a reference means in a document at `base`. The schemes http and https count as
 * ws and wss. A fragment is left out, since URLs of WebSocket servers have none. When the new URL
 * is on the same server and has no user and password, it gets those of `base`. Returns NULL; or a
 * text that says what is wrong, as steady_url_parse does, and then leaves nothing to be freed. */
const char *steady_reference_resolve(struct steady_url *url, const struct steady_url *base,
                                     const char *reference);

/* Returns whether both URLs have the same scheme, host and port, or the same socket. */
bool steady_reference_same_server(const struct steady_url *a, const struct steady_url *b);

#endif
