/* ws:// and wss:// URLs: RFC 6455 section 3, RFC 3986. Also ws+unix: and wss+unix:, for a server
 * that listens on a socket of this machine, as in Node's ws:
 * "ws+unix:/path/to/socket:/request?query". */
#ifndef STEADY_CORE_URL_H
#define STEADY_CORE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_url {
    bool secure;   /* wss */
    bool ipv6;     /* host is an IPv6 address; it is kept without its brackets */
    uint16_t port; /* 80 or 443 when the URL has none */
    char *socket;  /* percent-decoded, the path of the server's socket; NULL when it is at a host */
    char *host;    /* a name or a literal address, in lower case; "localhost" for a socket */
    char *authority; /* for the Host header: the host, in brackets for IPv6, and the port unless it
                        is the default one */
    char *path;      /* path and query; at least "/" */
    char *user, *password; /* percent-decoded; NULL when the URL has none */
    char *text;            /* the URL without user and password, for messages and logs */
};

#define STEADY_URL_MAX 32768 /* bytes of a URL */

/* Bytes of a socket's path, without the NUL byte behind it. */
#ifdef __linux__
#define STEADY_SOCKET_MAX 107
#else
#define STEADY_SOCKET_MAX 103
#endif

/* Takes a URL apart. Returns NULL, or what is wrong as a static text that goes on behind "the URL "
 * ("has no host"), or "out of memory"; then nothing is left to be freed. Refuses: more than
 * STEADY_URL_MAX bytes, a scheme that is neither ws nor wss (in any case), a host that is empty,
 * over 255 bytes or has other than RFC 3986's unreserved characters, a socket's path that is not
 * absolute, over STEADY_SOCKET_MAX bytes or has control characters, a bad port or port 0 (an empty
 * one is the default), a fragment, blanks, control characters (NUL included, therefore the size),
 * non-ASCII bytes, a broken percent escape or IPv6 literal (zones included), and a user or password
 * that Basic authorization cannot carry (RFC 7617: control characters, a colon in the user). */
const char *steady_url_parse(struct steady_url *url, const char *text, size_t size);

/* The same for the http:// URL of a proxy, which must not have a path. url->text is then
 * "http://host:port". */
const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size);

/* Also for a zeroed struct, and for one that was freed already. */
void steady_url_free(struct steady_url *url);

#endif
