/* Asking an HTTP proxy for a tunnel: CONNECT (RFC 9110 section 9.3.6), with Basic authorization
 * (RFC 7617) where the proxy's URL has a user. */
#ifndef STEADY_DIAL_TUNNEL_H
#define STEADY_DIAL_TUNNEL_H

#include "core/buffer.h"
#include "core/response.h"
#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the request for a tunnel to the URL's host and port. False: out of memory. */
bool steady_tunnel_request(struct steady_buffer *out, const struct steady_url *target,
                           const struct steady_url *proxy);

/* Writes what a proxy did that has refused, as "answered 403 Forbidden". */
void steady_tunnel_explain(const struct steady_response *answer, char *text, size_t size);

#endif
