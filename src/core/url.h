/* URLs of servers, ws:// and wss://, and of proxies (RFC 6455 section 3, RFC 3986, and RFC 6874 for
 * the zones of IPv6 addresses). Servers that listen on a socket of this machine have ws+unix: and
 * wss+unix:, as in Node's ws: "ws+unix:/path/to/socket:/request?query". */
#ifndef STEADY_CORE_URL_H
#define STEADY_CORE_URL_H

#include "core/scheme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_url {
    enum steady_scheme scheme;
    bool secure;   /* whether TLS is used with the host, as for wss and https */
    bool ipv6;     /* whether host is an IPv6 address; it has no brackets here */
    uint16_t port; /* the default port of the scheme when the URL has no port */
    char *socket;  /* the path of the server's socket, percent-decoded; NULL when the server has a
                      host */
    char *host;    /* a name or a literal address, in lower case; "localhost" for a socket */
    char *zone; /* the network interface of an IPv6 address, such as "eth0" or "2", which is never
                   sent to others (RFC 6874 section 4); NULL when the URL has none */
    char *authority; /* for the Host header: the host, in brackets for IPv6, and the port unless it
                        is the default one */
    char *path;      /* path and query; never empty, but "/" at least */
    char *user, *password; /* percent-decoded; NULL when the URL has none */
    char *text;            /* the URL without user and password, for messages and logs */
};

#define STEADY_URL_MAX 32768 /* bytes of a URL */

/* Takes a URL apart. Returns NULL, or a static text that says what is wrong and goes on behind "the
 * URL " ("has no host"), or "out of memory"; then nothing is left to be freed. These are wrong:
 * more than STEADY_URL_MAX bytes; a scheme that is none of those above (in any case); a host that
 * is empty, has over 255 bytes, or has characters that are not unreserved in RFC 3986; a socket's
 * path that is not absolute, has over STEADY_SOCKET_MAX bytes, or has control characters; a bad
 * port or port 0 (an empty port is the default one); a fragment, blanks, control characters
 * (including NUL, which is why there is a size), bytes that are not ASCII; a broken percent escape
 * or IPv6 address; and a user or password that Basic authorization cannot carry (RFC 7617: control
 * characters, or a colon in the user). The zone of an IPv6 address may be behind "%25" or "%". */
const char *steady_url_parse(struct steady_url *url, const char *text, size_t size);

#define STEADY_PROXY_PROBLEM_SIZE 128

/* Takes the URL of a proxy apart, as steady_url_parse does: http (port 80 when it has none), https
 * (443), socks5 and socks5h (1080). It must not have a path. A SOCKS proxy's user and password must
 * both be there and have 255 bytes at most (RFC 1929 section 2), or both be missing. url->text
 * always has the port. The text that says what is wrong may be in `room`. */
const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size,
                                   char room[STEADY_PROXY_PROBLEM_SIZE]);

/* Frees what the struct holds, and zeroes it. The struct may also be zeroed or freed already. */
void steady_url_free(struct steady_url *url);

#endif
