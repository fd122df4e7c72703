/* The proxy that the environment names. */
#ifndef STEADY_DIAL_PROXY_H
#define STEADY_DIAL_PROXY_H

#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

/* For wss: wss_proxy, https_proxy; for ws: ws_proxy, http_proxy; for both then all_proxy. The first
 * that is set and not empty counts, each in lower case before the same in upper case, but never
 * HTTP_PROXY, since a CGI program has it from its client. A value without a scheme is an http://
 * URL. None for what no_proxy or NO_PROXY covers (core/no_proxy.h). Fills proxy, whose host stays
 * NULL where there is none. False with a text in message: the variable is no URL of a proxy. */
bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size);

#endif
