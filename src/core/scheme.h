/* The schemes of URLs: those of servers, and those of proxies. */
#ifndef STEADY_CORE_SCHEME_H
#define STEADY_CORE_SCHEME_H

#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum steady_scheme {
    STEADY_SCHEME_WS,
    STEADY_SCHEME_WSS,
    STEADY_SCHEME_HTTP, /* this scheme and all behind it are those of proxies */
    STEADY_SCHEME_HTTPS,
    STEADY_SCHEME_SOCKS5,  /* the proxy is given the server's address */
    STEADY_SCHEME_SOCKS5H, /* the proxy is given the server's name, and resolves it */
};

struct steady_scheme_form {
    enum steady_scheme scheme;
    const char *prefix; /* the beginning of a URL with this scheme */
    bool secure;        /* whether TLS is used */
    uint16_t port;      /* the default port */
    bool on_socket;     /* the URL has the path of a socket of this machine instead of a host */
};

/* Both lists end with a NULL prefix. */
extern const struct steady_scheme_form steady_schemes_of_servers[], steady_schemes_of_proxies[];

/* Removes the scheme from the front of a URL and returns its form, or NULL when the list does not
 * have the scheme. */
const struct steady_scheme_form *steady_scheme_take(const struct steady_scheme_form *list,
                                                    struct steady_slice *rest);

/* Returns whether a scheme may have this character in it (RFC 3986 section 3.1). */
static inline bool steady_scheme_has_character(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || steady_is_one_of(c, "+-.");
}

/* Returns whether this is one of the two SOCKS schemes. */
bool steady_scheme_is_socks(const struct steady_scheme_form *form);

#endif
