#include "core/url.h"

#include "core/ascii.h"
#include "core/buffer.h"
#include "core/url_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOCKS_MAX 255 /* bytes of a user or a password (RFC 1929 section 2) */

/* --- putting together: each returns NULL when out of memory ---------------------------------- */

static char *copy(struct steady_slice slice)
{
    char *text = malloc(slice.size + 1);
    if (!text)
        return NULL;
    memcpy(text, slice.at, slice.size);
    text[slice.size] = '\0';
    return text;
}

static char *copy_lower(struct steady_slice slice)
{
    char *text = copy(slice);
    for (char *c = text; c && *c; c++)
        *c = steady_lower(*c);
    return text;
}

static char *copy_decoded(struct steady_slice slice)
{
    char *text = malloc(slice.size + 1), *end = text;
    if (!text)
        return NULL;
    while (slice.size > 0)
        *end++ = steady_slice_take_decoded(&slice);
    *end = '\0';
    return text;
}

static char *make_authority(const struct steady_url *url, uint16_t default_port)
{
    struct steady_buffer text = {0};
    char port[sizeof ":65535"] = "";
    if (url->port != default_port)
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    steady_buffer_append_texts(&text, url->ipv6 ? "[" : "", url->host, url->ipv6 ? "]" : "", port);
    return steady_buffer_take_text(&text);
}

static char *make_path(struct steady_slice path)
{
    struct steady_buffer text = {0};
    bool slash = path.size > 0 && *path.at == '/';
    steady_buffer_printf(&text, "%s%.*s", slash ? "" : "/", (int)path.size, path.at);
    return steady_buffer_take_text(&text);
}

/* Makes the text that the user sees. Unlike the texts for others, it includes the zone. The URL of
 * a proxy has no path here, and always has its port, since few users know the default port of a
 * proxy. */
static char *make_text(const struct steady_url *url, const struct steady_url_parts *parts)
{
    struct steady_buffer text = {0};
    const struct steady_scheme_form *scheme = parts->form;
    bool server = url->scheme == STEADY_SCHEME_WS || url->scheme == STEADY_SCHEME_WSS;
    char port[sizeof ":65535"] = "";
    if (url->port != scheme->port || !server)
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    if (url->socket)
        steady_buffer_printf(&text, "%s%.*s:%s", scheme->prefix, (int)parts->socket.size,
                             parts->socket.at, url->path);
    else
        steady_buffer_append_texts(&text, scheme->prefix, url->ipv6 ? "[" : "", url->host,
                                   url->zone ? "%25" : "", url->zone ? url->zone : "",
                                   url->ipv6 ? "]" : "", port, server ? url->path : "");
    return steady_buffer_take_text(&text);
}

static bool put_together(struct steady_url *url, const struct steady_url_parts *parts)
{
    static const struct steady_slice localhost = {"localhost", sizeof "localhost" - 1};
    url->scheme = parts->form->scheme;
    url->secure = parts->form->secure;
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
           (url->authority = make_authority(url, parts->form->port)) &&
           (url->path = make_path(parts->path)) && (url->text = make_text(url, parts));
}

static const char *parse(struct steady_url *url, const struct steady_scheme_form *scheme,
                         struct steady_slice rest)
{
    struct steady_url_parts parts = {.form = scheme, .port = scheme->port};
    const char *wrong = steady_url_take_apart(&parts, rest);
    if (wrong)
        return wrong;
    if (put_together(url, &parts))
        return NULL;
    steady_url_free(url);
    return "out of memory";
}

const char *steady_url_parse(struct steady_url *url, const char *text, size_t size)
{
    struct steady_slice rest = {text, size};
    *url = (struct steady_url){0};
    if (size > STEADY_URL_MAX)
        return "is longer than 32768 bytes";
    const struct steady_scheme_form *scheme = steady_scheme_take(steady_schemes_of_servers, &rest);
    return scheme ? parse(url, scheme, rest) : "does not begin with ws:// or wss://";
}

/* --- proxies --------------------------------------------------------------------------------- */

/* Explains what is wrong with the scheme, and names it when the text has one. A user and a password
 * are never taken for a scheme, because they have a colon between them. */
static const char *explain_scheme(struct steady_slice text, char room[STEADY_PROXY_PROBLEM_SIZE])
{
    const char *known = "known are http, https, socks5 and socks5h";
    size_t length = 0;
    while (length < text.size && steady_scheme_has_character(text.at[length]))
        length++;
    struct steady_slice behind = {text.at + length, text.size - length};
    if (length > 0 && length <= 16 && steady_slice_starts_with(behind, "://"))
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

static const char *check_proxy(const struct steady_url *url,
                               const struct steady_scheme_form *scheme)
{
    if (strcmp(url->path, "/") != 0)
        return "has a path, which the URL of a proxy cannot have";
    if (steady_scheme_is_socks(scheme) && url->user &&
        !(fits_socks(url->user) && fits_socks(url->password)))
        return "has a user and a password of which one is empty or longer than 255 bytes, which "
               "SOCKS cannot carry";
    return NULL;
}

const char *steady_url_parse_proxy(struct steady_url *url, const char *text, size_t size,
                                   char room[STEADY_PROXY_PROBLEM_SIZE])
{
    struct steady_slice rest = {text, size};
    *url = (struct steady_url){0};
    if (size > STEADY_URL_MAX)
        return "is longer than 32768 bytes";
    const struct steady_scheme_form *scheme = steady_scheme_take(steady_schemes_of_proxies, &rest);
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
