/* URLs of servers, ws:// and wss://, and of proxies: RFC 6455 section 3, RFC 3986, and RFC 6874 for
 * the zones of IPv6 addresses. Also ws+unix: and wss+unix:, for a server that listens on a socket
 * of this machine, as in Node's ws: "ws+unix:/path/to/socket:/request?query". */
#ifndef STEADY_CORE_URL_H
#define STEADY_CORE_URL_H

#include "core/scheme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_url {
    enum steady_scheme scheme;
    bool secure;   /* TLS is spoken with the host: wss, https */
    bool ipv6;     /* host is an IPv6 address; it is kept without its brackets */
    uint16_t port; /* the scheme's default when the URL has none */
    char *socket;  /* percent-decoded, the path of the server's socket; NULL when it is at a host */
    char *host;    /* a name or a literal address, in lower case; "localhost" for a socket */
    char *zone;    /* of an IPv6 address: the network interface, as "eth0" or "2", which nobody else
                      is told (RFC 6874 section 4); NULL when the URL has none */
    char *authority; /* for the Host header: the host, in brackets for IPv6, and the port unless it
                        is the default one */
    char *path;      /* path and query; at least "/" */
    char *user, *password; /* percent-decoded; NULL when the URL has none */
    char *text;            /* the URL without user and password, for messages and logs */
};

#define STEADY_URL_MAX 32768 /* bytes of a URL */

/* Takes a URL apart. Returns NULL, or what is wrong as a static text that goes on behind "the URL "
 * ("has no host"), or "out of memory"; then nothing is left to be freed. Refuses: more than
 * STEADY_URL_MAX bytes, a scheme that is neither ws nor wss (in any case), a host that is empty,
 * over 255 bytes or has other than RFC 3986's unreserved characters, a socket's path that is not
 * absolute, over STEADY_SOCKET_MAX bytes or has control characters, a bad port or port 0 (an empty
 * one is the default), a fragment, blanks, control characters (NUL included, therefore the size),
 * non-ASCII bytes, a broken percent escape or IPv6 literal, and a user or password that Basic
 * authorization cannot carry (RFC 7617: control characters, a colon in the user). The zone of an
 * IPv6 address may stand behind "%25" or "%". */
const char *steady_url_parse(struct steady_url *url, const char *text, size_t size);

#define STEADY_PROXY_PROBLEM_SIZE 128

/* The same for the URL of a proxy: http (port 80 when it has none), https (443), socks5 and socks5h
 * (1080). It must not have a path. A SOCKS proxy's user and password must both be there and have
 * 255 bytes at most (RFC 1929 section 2), or both be missing. url->text always has the port. What
 * is wrong may stand in `room`. */
const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size,
                                   char room[STEADY_PROXY_PROBLEM_SIZE]);

/* Also for a zeroed struct, and for one that was freed already. */
void steady_url_free(struct steady_url *url);

#endif
