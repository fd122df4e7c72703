#include "dial/tunnel.h"

#include "dial/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append_authorization(struct steady_buffer *out, const struct steady_url *proxy)
{
    char *value;
    if (!steady_encode_basic(proxy, &value))
        return false;
    bool done = !value || steady_buffer_printf(out, "Proxy-Authorization: %s\r\n", value);
    free(value);
    return done;
}

bool steady_tunnel_request(struct steady_buffer *out, const struct steady_url *target,
                           const struct steady_url *proxy)
{
    const char *form = target->ipv6 ? "CONNECT [%s]:%u HTTP/1.1\r\nHost: [%s]:%u\r\n"
                                    : "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n";
    unsigned port = target->port;
    return steady_buffer_printf(out, form, target->host, port, target->host, port) &&
           append_authorization(out, proxy) && steady_buffer_append(out, "\r\n", 2);
}

/* Where the list element that begins here ends: at a comma outside of quotes (RFC 9110
 * section 5.6.4), or at the end. */
static const char *end_of_element(const char *at)
{
    for (bool quoted = false; *at && (quoted || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1])
            at++;
    }
    return at;
}

/* The schemes of the challenges, without their parameters, which are list elements as well, with an
 * equals sign behind their names (RFC 9110 section 11.6.1). */
static void list_schemes(const char *challenges, char *list, size_t size)
{
    size_t used = 0;
    while (*challenges && used < size) {
        challenges += strspn(challenges, ", \t");
        size_t token = strcspn(challenges, ", \t=");
        if (token && challenges[token] != '=')
            used += (size_t)snprintf(list + used, size - used, "%s%.*s", used ? " or " : "",
                                     (int)token, challenges);
        challenges = end_of_element(challenges);
    }
}

void steady_tunnel_explain(const struct steady_response *answer, char *text, size_t size)
{
    const char *challenges = steady_headers_find(&answer->headers, "proxy-authenticate");
    char schemes[128] = "";
    int used = snprintf(text, size, "answered %d%s%s", answer->status, *answer->reason ? " " : "",
                        answer->reason);
    if (answer->status != 407 || used < 0 || (size_t)used >= size)
        return;
    list_schemes(challenges ? challenges : "", schemes, sizeof schemes);
    snprintf(
        text + used, size - (size_t)used,
        "; it wants to be logged in to by %s, and the proxy's URL may name user:password for Basic",
        *schemes ? schemes : "a scheme that it does not name");
}
