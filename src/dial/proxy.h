/* Finds the proxy that the environment names. */
#ifndef STEADY_DIAL_PROXY_H
#define STEADY_DIAL_PROXY_H

#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

/* Fills `proxy` with the proxy for a URL; its host stays NULL when there is none. The variables are
 * wss_proxy, https_proxy and all_proxy for wss, and ws_proxy, http_proxy and all_proxy for ws. The
 * first one that is set and not empty counts. Each is looked up in lower case before the same name
 * in upper case, but HTTP_PROXY is ignored, since a CGI program gets it from its client. A value
 * without a scheme counts as an http:// URL. There is no proxy for hosts that no_proxy or NO_PROXY
 * covers (core/no_proxy.h). Returns false, with a text of at most `size` bytes in `message`, when
 * the value that counts is not the URL of a proxy. */
bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size);

#endif
