#include "core/url_parts.h"

#include "core/ascii.h"

#include <arpa/inet.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

#define HOST_MAX 255 /* bytes; no DNS name is longer (RFC 1035 section 2.3.4) */
#define ZONE_MAX 15  /* bytes; no interface has a longer name */

/* Returns whether c is an unreserved character (RFC 3986 section 2.3). */
static bool is_unreserved(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || steady_is_one_of(c, "-._~");
}

/* --- taking apart: each returns what is wrong, or NULL --------------------------------------- */

static bool is_escape(struct steady_slice slice)
{
    return slice.size >= 3 && steady_hex_value(slice.at[1]) >= 0 &&
           steady_hex_value(slice.at[2]) >= 0;
}

/* Returns the place behind the last @, or the beginning when there is no @. */
static const char *behind_credentials(struct steady_slice authority)
{
    const char *at = steady_slice_end(authority);
    while (at > authority.at && at[-1] != '@')
        at--;
    return at;
}

/* Returns the authority of a URL without user and password: the host, and perhaps a port. */
static struct steady_slice host_and_port(struct steady_slice rest)
{
    struct steady_slice authority = steady_slice_cut(&rest, steady_slice_find(rest, "/?"));
    steady_slice_cut(&authority, behind_credentials(authority));
    return authority;
}

/* Returns the % that begins the zone of an IPv6 address, or NULL. */
static const char *find_zone(struct steady_slice host)
{
    if (host.size == 0 || *host.at != '[')
        return NULL;
    const char *found = steady_slice_find(host, "%]");
    return found < steady_slice_end(host) && *found == '%' ? found : NULL;
}

static const char *check_characters(struct steady_slice rest)
{
    struct steady_slice host = host_and_port(rest);
    const char *zone = find_zone(host), *host_end = steady_slice_find(host, ":");
    for (; rest.size > 0; steady_slice_skip(&rest, 1)) {
        char c = *rest.at;
        if (c == '#')
            return "has a fragment, which WebSocket URLs cannot have";
        bool ascii = steady_is_printable(c) || steady_is_control(c);
        if (!ascii && rest.at >= host.at && rest.at < host_end)
            return "has a non-ASCII character in its host: such a name is written as DNS has it, "
                   "xn--...";
        if (c == ' ' || !steady_is_printable(c))
            return "has a blank, a control character or a non-ASCII one that is not "
                   "percent-escaped";
        if (c == '%' && rest.at != zone && !is_escape(rest))
            return "has a % without two hexadecimal digits behind it";
    }
    return NULL;
}

/* Checks a user or a password. RFC 7617 section 2 allows neither control characters nor a colon in
 * the user's name. SOCKS allows the colon. */
static const char *check_credential(struct steady_slice slice, bool colon_allowed)
{
    for (const char *at = slice.at; at < steady_slice_end(slice); at++)
        if (!is_unreserved(*at) && !steady_is_one_of(*at, "%!$&'()*+,;=:"))
            return "has a character in its user or password that must be percent-escaped";
    while (slice.size > 0) {
        char c = steady_slice_take_decoded(&slice);
        if (steady_is_control(c))
            return "has a control character in its user or password";
        if (c == ':' && !colon_allowed)
            return "has a colon in its user";
    }
    return NULL;
}

/* User and password end at the last @. So an @ in a password that somebody forgot to escape does
 * not make the rest of the password the host. */
static const char *take_credentials(struct steady_url_parts *parts, struct steady_slice *authority)
{
    const char *host = behind_credentials(*authority);
    if (host == authority->at)
        return NULL;
    struct steady_slice password = steady_slice_cut(authority, host);
    password.size--; /* the @ */
    if (password.size == 0)
        return NULL;
    parts->user = steady_slice_cut(&password, steady_slice_find(password, ":"));
    if (password.size > 0) {
        steady_slice_skip(&password, 1);
        parts->password = password;
    }
    const char *wrong = check_credential(parts->user, steady_scheme_is_socks(parts->form));
    return wrong ? wrong : check_credential(password, true);
}

static bool is_ipv6(struct steady_slice slice)
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
static const char *take_zone(struct steady_url_parts *parts, struct steady_slice zone)
{
    steady_slice_skip(&zone, zone.size > 3 && steady_slice_starts_with(zone, "%25") ? 3 : 1);
    parts->zone = zone;
    if (zone.size == 0 || zone.size > ZONE_MAX)
        return "has a zone behind its IPv6 address that is no name of a network interface";
    for (const char *at = zone.at; at < steady_slice_end(zone); at++)
        if (!is_unreserved(*at))
            return "has a zone behind its IPv6 address that is no name of a network interface";
    return NULL;
}

static const char *take_ipv6(struct steady_url_parts *parts, struct steady_slice *authority)
{
    const char *end = steady_slice_find(*authority, "]");
    if (end == steady_slice_end(*authority))
        return "has an IPv6 address without its closing bracket";
    steady_slice_skip(authority, 1);
    parts->ipv6 = true;
    struct steady_slice inside = steady_slice_cut(authority, end);
    steady_slice_skip(authority, 1);
    parts->host = steady_slice_cut(&inside, steady_slice_find(inside, "%"));
    if (!is_ipv6(parts->host))
        return "has no valid IPv6 address between its brackets";
    return inside.size > 0 ? take_zone(parts, inside) : NULL;
}

static const char *take_name(struct steady_url_parts *parts, struct steady_slice *authority)
{
    parts->host = steady_slice_cut(authority, steady_slice_find(*authority, ":"));
    if (parts->host.size == 0)
        return "has no host";
    if (parts->host.size > HOST_MAX)
        return "has a host of more than 255 bytes";
    for (const char *at = parts->host.at; at < steady_slice_end(parts->host); at++)
        if (!is_unreserved(*at))
            return "has a character in its host that no name can have";
    return NULL;
}

static const char *take_port(struct steady_url_parts *parts, struct steady_slice authority)
{
    unsigned long port = 0;
    if (authority.size == 0)
        return NULL;
    if (*authority.at != ':')
        return "has something that is no port behind its IPv6 address";
    steady_slice_skip(&authority, 1);
    if (authority.size == 0)
        return NULL; /* RFC 3986 section 3.2.3: an empty port is the default one */
    for (; authority.size > 0 && port <= UINT16_MAX; steady_slice_skip(&authority, 1)) {
        if (!steady_is_digit(*authority.at))
            return "has a port that is not a number";
        port = port * 10 + (unsigned long)steady_hex_value(*authority.at);
    }
    if (port == 0 || port > UINT16_MAX)
        return "has a port that is not between 1 and 65535";
    parts->port = (uint16_t)port;
    return NULL;
}

static const char *take_host(struct steady_url_parts *parts, struct steady_slice *authority)
{
    bool bracket = authority->size > 0 && *authority->at == '[';
    if (is_ipv6(*authority))
        return "has an IPv6 address that is not in brackets";
    return bracket ? take_ipv6(parts, authority) : take_name(parts, authority);
}

/* As in Node's ws, there may be an empty authority in front of the path. */
static const char *take_socket(struct steady_url_parts *parts, struct steady_slice rest)
{
    size_t size = 0;
    if (steady_slice_starts_with(rest, "//"))
        steady_slice_skip(&rest, 2);
    parts->socket = steady_slice_cut(&rest, steady_slice_find(rest, ":?"));
    if (rest.size > 0 && *rest.at == ':')
        steady_slice_skip(&rest, 1);
    parts->path = rest;
    if (parts->socket.size < 2 || *parts->socket.at != '/')
        return "has no absolute path of a socket behind its scheme";
    for (struct steady_slice path = parts->socket; path.size > 0; size++)
        if (steady_is_control(steady_slice_take_decoded(&path)))
            return "has a control character in the path of its socket";
    if (size > STEADY_SOCKET_MAX)
        return "has the path of a socket with over " TEXT(STEADY_SOCKET_MAX) " bytes";
    return NULL;
}

const char *steady_url_take_apart(struct steady_url_parts *parts, struct steady_slice rest)
{
    const char *wrong = check_characters(rest);
    if (wrong)
        return wrong;
    if (parts->form->on_socket)
        return take_socket(parts, rest);
    struct steady_slice authority = steady_slice_cut(&rest, steady_slice_find(rest, "/?"));
    parts->path = rest;
    wrong = take_credentials(parts, &authority);
    if (!wrong)
        wrong = take_host(parts, &authority);
    return wrong ? wrong : take_port(parts, authority);
}
