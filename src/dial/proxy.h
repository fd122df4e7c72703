/* The proxy that the environment names. */
#ifndef STEADY_DIAL_PROXY_H
#define STEADY_DIAL_PROXY_H

#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

/* For ws: http_proxy; for wss: https_proxy or HTTPS_PROXY; for both then all_proxy or ALL_PROXY;
 * none for hosts in no_proxy or NO_PROXY (names, of which subdomains count, separated by commas;
 * "*" for all). HTTP_PROXY is not read, since a CGI program has it from its client. Fills proxy,
 * whose host stays NULL where there is none. False with a text in message: the variable is no URL
 * of a proxy. */
bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size);

#endif
