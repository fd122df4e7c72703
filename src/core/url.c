#include "core/url.h"

#include "core/ascii.h"
#include "core/buffer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

#define HOST_MAX  255 /* bytes; no DNS name is longer (RFC 1035 section 2.3.4) */
#define ZONE_MAX  15  /* bytes; no interface has a longer name */
#define SOCKS_MAX 255 /* bytes of a user or a password (RFC 1929 section 2) */

/* A piece of the URL; `at` is NULL when the URL has no such piece. */
struct slice {
    const char *at;
    size_t size;
};

struct parts {
    const struct scheme *scheme;
    bool ipv6;
    uint16_t port;
    struct slice user, password, host, zone, path;
    struct slice socket; /* in place of user, password, host and port */
};

struct scheme {
    enum steady_scheme id;
    const char *prefix;
    bool secure;
    uint16_t port;  /* the default */
    bool on_socket; /* of this machine, in place of a host */
};

static const struct scheme servers[] = {
    {STEADY_SCHEME_WS, "ws://", false, 80, false},
    {STEADY_SCHEME_WSS, "wss://", true, 443, false},
    {STEADY_SCHEME_WS, "ws+unix:", false, 80, true},
    {STEADY_SCHEME_WSS, "wss+unix:", true, 443, true},
    {0},
};

static const struct scheme proxies[] = {
    {STEADY_SCHEME_HTTP, "http://", false, 80, false},
    {STEADY_SCHEME_HTTPS, "https://", true, 443, false},
    {STEADY_SCHEME_SOCKS5, "socks5://", false, 1080, false},
    {STEADY_SCHEME_SOCKS5H, "socks5h://", false, 1080, false},
    {0},
};

static bool is_socks(const struct scheme *scheme)
{
    return scheme->id == STEADY_SCHEME_SOCKS5 || scheme->id == STEADY_SCHEME_SOCKS5H;
}

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

/* NULL: none of them. */
static const struct scheme *take_scheme(const struct scheme *schemes, struct slice *rest)
{
    while (schemes->prefix && !starts_with(*rest, schemes->prefix))
        schemes++;
    if (!schemes->prefix)
        return NULL;
    skip(rest, strlen(schemes->prefix));
    return schemes;
}

static bool is_escape(struct slice slice)
{
    return slice.size >= 3 && steady_hex_value(slice.at[1]) >= 0 &&
           steady_hex_value(slice.at[2]) >= 0;
}

/* Where what is behind the last @ begins, or the beginning. */
static const char *behind_credentials(struct slice authority)
{
    const char *at = end_of(authority);
    while (at > authority.at && at[-1] != '@')
        at--;
    return at;
}

/* Returns the % that begins the zone of an IPv6 address, or NULL. */
static const char *find_zone(struct slice authority)
{
    cut(&authority, behind_credentials(authority));
    if (authority.size == 0 || *authority.at != '[')
        return NULL;
    const char *found = find(authority, "%]");
    return found < end_of(authority) && *found == '%' ? found : NULL;
}

static const char *check_characters(struct slice rest)
{
    const char *zone = find_zone((struct slice){rest.at, (size_t)(find(rest, "/?") - rest.at)});
    for (; rest.size > 0; skip(&rest, 1)) {
        char c = *rest.at;
        if (c == '#')
            return "has a fragment, which WebSocket URLs cannot have";
        if (c == ' ' || !steady_is_printable(c))
            return "has a blank, a control character or a non-ASCII one that is not "
                   "percent-escaped";
        if (c == '%' && rest.at != zone && !is_escape(rest))
            return "has a % without two hexadecimal digits behind it";
    }
    return NULL;
}

/* RFC 7617 section 2: no control characters, and no colon in the user's name. SOCKS could carry the
 * colon. */
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
    const char *host = behind_credentials(*authority);
    if (host == authority->at)
        return NULL;
    struct slice password = cut(authority, host);
    password.size--; /* the @ */
    if (password.size == 0)
        return NULL;
    parts->user = cut(&password, find(password, ":"));
    if (password.size > 0) {
        skip(&password, 1);
        parts->password = password;
    }
    const char *wrong = check_credential(parts->user, is_socks(parts->scheme));
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

/* Both spellings are in use: "%25eth0" (RFC 6874 section 2) and "%eth0" (what `ip` shows). */
static const char *take_zone(struct parts *parts, struct slice zone)
{
    skip(&zone, zone.size > 3 && starts_with(zone, "%25") ? 3 : 1);
    parts->zone = zone;
    if (zone.size == 0 || zone.size > ZONE_MAX)
        return "has a zone behind its IPv6 address that is no name of a network interface";
    for (const char *at = zone.at; at < end_of(zone); at++)
        if (!is_unreserved(*at))
            return "has a zone behind its IPv6 address that is no name of a network interface";
    return NULL;
}

static const char *take_ipv6(struct parts *parts, struct slice *authority)
{
    const char *end = find(*authority, "]");
    if (end == end_of(*authority))
        return "has an IPv6 address without its closing bracket";
    skip(authority, 1);
    parts->ipv6 = true;
    struct slice inside = cut(authority, end);
    skip(authority, 1);
    parts->host = cut(&inside, find(inside, "%"));
    if (!is_ipv6(parts->host))
        return "has no valid IPv6 address between its brackets";
    return inside.size > 0 ? take_zone(parts, inside) : NULL;
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

/* rest: what is behind the scheme. */
static const char *take_apart(struct parts *parts, struct slice rest)
{
    const char *wrong = check_characters(rest);
    if (wrong)
        return wrong;
    if (parts->scheme->on_socket)
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

static char *make_authority(const struct steady_url *url, uint16_t default_port)
{
    struct steady_buffer text = {0};
    char port[sizeof ":65535"] = "";
    if (url->port != default_port)
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    steady_buffer_printf(&text, url->ipv6 ? "[%s]%s" : "%s%s", url->host, port);
    return steady_buffer_take_text(&text);
}

static char *make_path(struct slice path)
{
    struct steady_buffer text = {0};
    bool slash = path.size > 0 && *path.at == '/';
    steady_buffer_printf(&text, "%s%.*s", slash ? "" : "/", (int)path.size, path.at);
    return steady_buffer_take_text(&text);
}

/* Unlike what others are told, what the user is shown has the zone. A proxy's has no path, and
 * always its port, since few know the default one. */
static char *make_text(const struct steady_url *url, const struct parts *parts)
{
    struct steady_buffer text = {0};
    const struct scheme *scheme = parts->scheme;
    bool server = url->scheme == STEADY_SCHEME_WS || url->scheme == STEADY_SCHEME_WSS;
    char port[sizeof ":65535"] = "";
    if (url->port != scheme->port || !server)
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    if (url->socket)
        steady_buffer_printf(&text, "%s%.*s:%s", scheme->prefix, (int)parts->socket.size,
                             parts->socket.at, url->path);
    else
        steady_buffer_printf(&text, url->ipv6 ? "%s[%s%s%s]%s%s" : "%s%s%s%s%s%s", scheme->prefix,
                             url->host, url->zone ? "%25" : "", url->zone ? url->zone : "", port,
                             server ? url->path : "");
    return steady_buffer_take_text(&text);
}

static bool put_together(struct steady_url *url, const struct parts *parts)
{
    static const struct slice localhost = {"localhost", sizeof "localhost" - 1};
    url->scheme = parts->scheme->id;
    url->secure = parts->scheme->secure;
    url->ipv6 = parts->ipv6;
    url->port = parts->port;
    if (parts->user.at && !(url->user = copy_decoded(parts->user)))
        return false;
    if (parts->password.at && !(url->password = copy_decoded(parts->password)))
        return false;
    if (parts->zone.at && !(url->zone = copy(parts->zone)))
        return false;
    if (parts->socket.at && !(url->socket = copy_decoded(parts->socket)))
        return false;
    return (url->host = copy_lower(url->socket ? localhost : parts->host)) &&
           (url->authority = make_authority(url, parts->scheme->port)) &&
           (url->path = make_path(parts->path)) && (url->text = make_text(url, parts));
}

static const char *parse(struct steady_url *url, const struct scheme *scheme, struct slice rest)
{
    struct parts parts = {.scheme = scheme, .port = scheme->port};
    const char *wrong = take_apart(&parts, rest);
    if (wrong)
        return wrong;
    if (put_together(url, &parts))
        return NULL;
    steady_url_free(url);
    return "out of memory";
}

const char *steady_url_parse(struct steady_url *url, const char *text, size_t size)
{
    struct slice rest = {text, size};
    *url = (struct steady_url){0};
    if (size > STEADY_URL_MAX)
        return "is longer than 32768 bytes";
    const struct scheme *scheme = take_scheme(servers, &rest);
    return scheme ? parse(url, scheme, rest) : "does not begin with ws:// or wss://";
}

/* --- proxies --------------------------------------------------------------------------------- */

/* RFC 3986 section 3.1 */
static bool is_scheme_character(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || steady_is_one_of(c, "+-.");
}

/* Names the scheme, if it looks like one; a user and a password never do, because of the colon. */
static const char *explain_scheme(struct slice text, char room[STEADY_PROXY_PROBLEM_SIZE])
{
    const char *known = "known are http, https, socks5 and socks5h";
    size_t length = 0;
    while (length < text.size && is_scheme_character(text.at[length]))
        length++;
    struct slice behind = {text.at + length, text.size - length};
    if (length > 0 && length <= 16 && starts_with(behind, "://"))
        snprintf(room, STEADY_PROXY_PROBLEM_SIZE, "has the scheme \"%.*s\", which is not known: %s",
                 (int)length, text.at, known);
    else
        snprintf(room, STEADY_PROXY_PROBLEM_SIZE, "does not begin with a scheme, as http://: %s",
                 known);
    return room;
}

static bool fits_socks(const char *credential)
{
    size_t length = credential ? strlen(credential) : 0;
    return length >= 1 && length <= SOCKS_MAX;
}

static const char *check_proxy(const struct steady_url *url, const struct scheme *scheme)
{
    if (strcmp(url->path, "/") != 0)
        return "has a path, which a proxy's has not";
    if (is_socks(scheme) && url->user && !(fits_socks(url->user) && fits_socks(url->password)))
        return "has a user and a password of which one is empty or longer than 255 bytes, which "
               "SOCKS cannot carry";
    return NULL;
}

const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size,
                                   char room[STEADY_PROXY_PROBLEM_SIZE])
{
    struct slice rest = {text, size};
    *url = (struct steady_url){0};
    if (size > STEADY_URL_MAX)
        return "is longer than 32768 bytes";
    const struct scheme *scheme = take_scheme(proxies, &rest);
    const char *wrong = scheme ? parse(url, scheme, rest) : explain_scheme(rest, room);
    if (!wrong)
        wrong = check_proxy(url, scheme);
    if (wrong)
        steady_url_free(url);
    return wrong;
}

void steady_url_free(struct steady_url *url)
{
    free(url->socket);
    free(url->host);
    free(url->zone);
    free(url->authority);
    free(url->path);
    free(url->user);
    free(url->password);
    free(url->text);
    *url = (struct steady_url){0};
}
