/* Takes a URL apart into its pieces, and checks each of them (RFC 3986 section 3). */
#ifndef STEADY_CORE_URL_PARTS_H
#define STEADY_CORE_URL_PARTS_H

#include "core/scheme.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a socket's path, without the NUL byte behind it. */
#ifdef __linux__
#define STEADY_SOCKET_MAX 107
#else
#define STEADY_SOCKET_MAX 103
#endif

/* The pieces of a URL, which are still percent-encoded. A piece that the URL does not have is NULL.
 */
struct steady_url_parts {
    const struct steady_scheme_form *form;
    bool ipv6;
    uint16_t port;
    struct steady_slice user, password, host, zone, path;
    struct steady_slice socket; /* instead of user, password, host and port */
};

/* Takes apart everything behind the scheme. `parts` must be zeroed, except for the form and the
 * port. Returns NULL, or a static text that says what is wrong and goes on behind "the URL ". */
const char *steady_url_take_apart(struct steady_url_parts *parts, struct steady_slice rest);

#endif
