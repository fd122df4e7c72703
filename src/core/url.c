#include "core/url.h"

#include "core/ascii.h"
#include "core/buffer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

#define HOST_MAX 255 /* bytes; no DNS name is longer (RFC 1035 section 2.3.4) */

/* Bytes. When there are more, libwebsockets silently does not use the proxy. */
#define PROXY_CREDENTIALS_MAX 92

/* A piece of the URL; `at` is NULL when the URL has no such piece. */
struct slice {
    const char *at;
    size_t size;
};

struct parts {
    bool secure, ipv6;
    uint16_t port;
    struct slice user, password, host, path;
    struct slice socket; /* in place of user, password, host and port */
};

/* RFC 3986 section 2.3 */
static bool is_unreserved(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || steady_is_one_of(c, "-._~");
}

/* --- slices ---------------------------------------------------------------------------------- */

static const char *end_of(struct slice slice)
{
    return slice.at + slice.size;
}

/* Returns the first byte that is in the set, or the end. */
static const char *find(struct slice slice, const char *set)
{
    const char *at = slice.at;
    while (at < end_of(slice) && !steady_is_one_of(*at, set))
        at++;
    return at;
}

/* Removes everything before `end` from the slice, and returns it. */
static struct slice cut(struct slice *slice, const char *end)
{
    struct slice front = {slice->at, (size_t)(end - slice->at)};
    slice->at = end;
    slice->size -= front.size;
    return front;
}

static void skip(struct slice *slice, size_t size)
{
    slice->at += size;
    slice->size -= size;
}

static bool starts_with(struct slice slice, const char *lower_case)
{
    for (size_t i = 0; lower_case[i]; i++)
        if (i == slice.size || steady_lower(slice.at[i]) != lower_case[i])
            return false;
    return true;
}

/* Removes the next byte, which may be percent-escaped, and returns its value. */
static char take_decoded(struct slice *slice)
{
    char c = *slice->at;
    size_t size = 1;
    if (c == '%') {
        c = (char)(steady_hex_value(slice->at[1]) * 16 + steady_hex_value(slice->at[2]));
        size = 3;
    }
    skip(slice, size);
    return c;
}

/* --- taking apart: each returns what is wrong, or NULL --------------------------------------- */

static const char *take_scheme(struct parts *parts, struct slice *rest)
{
    static const char *const schemes[] = {"ws://", "wss://", "ws+unix:", "wss+unix:"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!starts_with(*rest, schemes[i]))
            continue;
        skip(rest, strlen(schemes[i]));
        parts->secure = schemes[i][2] == 's';
        parts->port = parts->secure ? 443 : 80;
        if (strchr(schemes[i], '+'))
            parts->socket = *rest;
        return NULL;
    }
    return "does not begin with ws:// or wss://";
}

static bool is_escape(struct slice slice)
{
    return slice.size >= 3 && steady_hex_value(slice.at[1]) >= 0 &&
           steady_hex_value(slice.at[2]) >= 0;
}

static const char *check_characters(struct slice rest)
{
    for (; rest.size > 0; skip(&rest, 1)) {
        char c = *rest.at;
        if (c == '#')
            return "has a fragment, which WebSocket URLs cannot have";
        if (c == ' ' || !steady_is_printable(c))
            return "has a blank, a control character or a non-ASCII one that is not "
                   "percent-escaped";
        if (c == '%' && !is_escape(rest))
            return "has a % without two hexadecimal digits behind it";
    }
    return NULL;
}

/* RFC 7617 section 2: no control characters, and no colon in the user's name. */
static const char *check_credential(struct slice slice, bool colon_allowed)
{
    for (const char *at = slice.at; at < end_of(slice); at++)
        if (!is_unreserved(*at) && !steady_is_one_of(*at, "%!$&'()*+,;=:"))
            return "has a character in its user or password that must be percent-escaped";
    while (slice.size > 0) {
        char c = take_decoded(&slice);
        if (steady_is_control(c))
            return "has a control character in its user or password";
        if (c == ':' && !colon_allowed)
            return "has a colon in its user";
    }
    return NULL;
}

/* User and password end at the last @, so that an @ in a password that somebody forgot to escape
 * does not make the rest of the password the host. */
static const char *take_credentials(struct parts *parts, struct slice *authority)
{
    const char *at_sign = end_of(*authority);
    while (at_sign > authority->at && at_sign[-1] != '@')
        at_sign--;
    if (at_sign == authority->at)
        return NULL;
    struct slice password = cut(authority, at_sign);
    password.size--; /* the @ */
    if (password.size == 0)
        return NULL;
    parts->user = cut(&password, find(password, ":"));
    if (password.size > 0) {
        skip(&password, 1);
        parts->password = password;
    }
    const char *wrong = check_credential(parts->user, false);
    return wrong ? wrong : check_credential(password, true);
}

static bool is_ipv6(struct slice slice)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (slice.size >= sizeof text)
        return false;
    memcpy(text, slice.at, slice.size);
    text[slice.size] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

static const char *take_ipv6(struct parts *parts, struct slice *authority)
{
    const char *end = find(*authority, "]");
    if (end == end_of(*authority))
        return "has an IPv6 address without its closing bracket";
    skip(authority, 1);
    parts->ipv6 = true;
    parts->host = cut(authority, end);
    skip(authority, 1);
    return is_ipv6(parts->host) ? NULL : "has no valid IPv6 address between its brackets";
}

static const char *take_name(struct parts *parts, struct slice *authority)
{
    parts->host = cut(authority, find(*authority, ":"));
    if (parts->host.size == 0)
        return "has no host";
    if (parts->host.size > HOST_MAX)
        return "has a host of more than 255 bytes";
    for (const char *at = parts->host.at; at < end_of(parts->host); at++)
        if (!is_unreserved(*at))
            return "has a character in its host that no name can have";
    return NULL;
}

static const char *take_port(struct parts *parts, struct slice authority)
{
    unsigned long port = 0;
    if (authority.size == 0)
        return NULL;
    if (*authority.at != ':')
        return "has something that is no port behind its IPv6 address";
    skip(&authority, 1);
    if (authority.size == 0)
        return NULL; /* RFC 3986 section 3.2.3: an empty port is the default one */
    for (; authority.size > 0 && port <= UINT16_MAX; skip(&authority, 1)) {
        if (!steady_is_digit(*authority.at))
            return "has a port that is not a number";
        port = port * 10 + (unsigned long)steady_hex_value(*authority.at);
    }
    if (port == 0 || port > UINT16_MAX)
        return "has a port that is not between 1 and 65535";
    parts->port = (uint16_t)port;
    return NULL;
}

static const char *take_host(struct parts *parts, struct slice *authority)
{
    bool bracket = authority->size > 0 && *authority->at == '[';
    return bracket ? take_ipv6(parts, authority) : take_name(parts, authority);
}

/* As in Node's ws, there may be an authority in front that is empty. */
static const char *take_socket(struct parts *parts, struct slice rest)
{
    size_t size = 0;
    if (starts_with(rest, "//"))
        skip(&rest, 2);
    parts->socket = cut(&rest, find(rest, ":?"));
    if (rest.size > 0 && *rest.at == ':')
        skip(&rest, 1);
    parts->path = rest;
    if (parts->socket.size < 2 || *parts->socket.at != '/')
        return "has no absolute path of a socket behind its scheme";
    for (struct slice path = parts->socket; path.size > 0; size++)
        if (steady_is_control(take_decoded(&path)))
            return "has a control character in the path of its socket";
    if (size > STEADY_SOCKET_MAX)
        return "has the path of a socket with over " TEXT(STEADY_SOCKET_MAX) " bytes";
    return NULL;
}

static const char *take_apart(struct parts *parts, struct slice rest)
{
    if (rest.size > STEADY_URL_MAX)
        return "is longer than 32768 bytes";
    const char *wrong = take_scheme(parts, &rest);
    if (!wrong)
        wrong = check_characters(rest);
    if (wrong)
        return wrong;
    if (parts->socket.at)
        return take_socket(parts, rest);
    struct slice authority = cut(&rest, find(rest, "/?"));
    parts->path = rest;
    wrong = take_credentials(parts, &authority);
    if (!wrong)
        wrong = take_host(parts, &authority);
    return wrong ? wrong : take_port(parts, authority);
}

/* --- putting together: each returns NULL when out of memory ---------------------------------- */

static char *copy(struct slice slice)
{
    char *text = malloc(slice.size + 1);
    if (!text)
        return NULL;
    memcpy(text, slice.at, slice.size);
    text[slice.size] = '\0';
    return text;
}

static char *copy_lower(struct slice slice)
{
    char *text = copy(slice);
    for (char *c = text; c && *c; c++)
        *c = steady_lower(*c);
    return text;
}

static char *copy_decoded(struct slice slice)
{
    char *text = malloc(slice.size + 1), *end = text;
    if (!text)
        return NULL;
    while (slice.size > 0)
        *end++ = take_decoded(&slice);
    *end = '\0';
    return text;
}

static char *make_authority(const struct steady_url *url)
{
    struct steady_buffer text = {0};
    char port[sizeof ":65535"] = "";
    if (url->port != (url->secure ? 443 : 80))
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    steady_buffer_printf(&text, url->ipv6 ? "[%s]%s" : "%s%s", url->host, port);
    return (char *)text.data;
}

static char *make_path(struct slice path)
{
    struct steady_buffer text = {0};
    bool slash = path.size > 0 && *path.at == '/';
    steady_buffer_printf(&text, "%s%.*s", slash ? "" : "/", (int)path.size, path.at);
    return (char *)text.data;
}

static char *make_text(const struct steady_url *url, struct slice socket)
{
    struct steady_buffer text = {0};
    const char *scheme = url->secure ? "wss" : "ws";
    if (url->socket)
        steady_buffer_printf(&text, "%s+unix:%.*s:%s", scheme, (int)socket.size, socket.at,
                             url->path);
    else
        steady_buffer_printf(&text, "%s://%s%s", scheme, url->authority, url->path);
    return (char *)text.data;
}

static bool put_together(struct steady_url *url, const struct parts *parts)
{
    static const struct slice localhost = {"localhost", sizeof "localhost" - 1};
    url->secure = parts->secure;
    url->ipv6 = parts->ipv6;
    url->port = parts->port;
    if (parts->user.at && !(url->user = copy_decoded(parts->user)))
        return false;
    if (parts->password.at && !(url->password = copy_decoded(parts->password)))
        return false;
    if (parts->socket.at && !(url->socket = copy_decoded(parts->socket)))
        return false;
    return (url->host = copy_lower(url->socket ? localhost : parts->host)) &&
           (url->authority = make_authority(url)) && (url->path = make_path(parts->path)) &&
           (url->text = make_text(url, parts->socket));
}

const char *steady_url_parse(struct steady_url *url, const char *text, size_t size)
{
    struct parts parts = {0};
    *url = (struct steady_url){0};
    const char *wrong = take_apart(&parts, (struct slice){text, size});
    if (wrong)
        return wrong;
    if (put_together(url, &parts))
        return NULL;
    steady_url_free(url);
    return "out of memory";
}

/* The URL of a proxy differs from a ws:// URL only in its scheme: the default port is 80 for both.
 * So it is parsed as one. */
static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size)
{
    static const char scheme[] = "http://";
    struct steady_buffer as_ws = {0};
    *url = (struct steady_url){0};
    if (!starts_with((struct slice){text, size}, scheme))
        return "does not begin with http://";
    text += sizeof scheme - 1;
    size -= sizeof scheme - 1;
    bool done = steady_buffer_printf(&as_ws, "ws://") && steady_buffer_append(&as_ws, text, size);
    const char *wrong =
        done ? steady_url_parse(url, (char *)as_ws.data, as_ws.size) : "out of memory";
    steady_buffer_free(&as_ws);
    if (!wrong && strcmp(url->path, "/") != 0)
        wrong = "has a path, which a proxy's has not";
    if (!wrong && length(url->user) + length(url->password) > PROXY_CREDENTIALS_MAX)
        wrong = "has a user name and a password of more than 92 bytes together";
    free(url->text);
    struct steady_buffer shown = {0};
    if (!wrong && !steady_buffer_printf(&shown, "http://%s:%u", url->host, (unsigned)url->port))
        wrong = "out of memory";
    url->text = (char *)shown.data;
    if (wrong)
        steady_url_free(url);
    return wrong;
}

void steady_url_free(struct steady_url *url)
{
    free(url->socket);
    free(url->host);
    free(url->authority);
    free(url->path);
    free(url->user);
    free(url->password);
    free(url->text);
    *url = (struct steady_url){0};
}
