#include "dial/tunnel.h"

#include "core/trace_http.h"
#include "dial/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append_authorization(struct steady_buffer *out, const struct steady_url *proxy)
{
    char *value;
    if (!steady_encode_basic(proxy, &value))
        return false;
    bool done = !value || steady_buffer_append_texts(out, "Proxy-Authorization: ", value, "\r\n");
    free(value);
    return done;
}

static bool ask_http(struct steady_tunnel *tunnel, struct steady_buffer *out)
{
    const struct steady_url *target = tunnel->target;
    const char *form = target->ipv6 ? "CONNECT [%s]:%u HTTP/1.1\r\nHost: [%s]:%u\r\n"
                                    : "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n";
    unsigned port = target->port;
    tunnel->answer.tunnel = true;
    if (!steady_buffer_printf(out, form, target->host, port, target->host, port) ||
        !append_authorization(out, tunnel->proxy) || !steady_buffer_append(out, "\r\n", 2))
        return false;
    steady_trace_request(tunnel->trace, out);
    return true;
}

/* A host that is a literal address is sent as an address, even when the proxy resolves names,
 * because proxies treat a name such as "::1" differently. */
static bool ask_socks(struct steady_tunnel *tunnel, const struct steady_address *resolved,
                      struct steady_buffer *out)
{
    const struct steady_url *url = tunnel->target;
    struct steady_socks_target target = {.name = url->host, .port = url->port};
    struct steady_address literal;
    const struct steady_address *address = resolved;
    const char *problem;
    if (!address && steady_address_literal(url->host, NULL, url->port, &literal, &problem))
        address = &literal;
    if (address && address->socket.any.sa_family == AF_INET6) {
        target.address = (const uint8_t *)&address->socket.v6.sin6_addr;
        target.address_size = sizeof address->socket.v6.sin6_addr;
    } else if (address) {
        target.address = (const uint8_t *)&address->socket.v4.sin_addr;
        target.address_size = sizeof address->socket.v4.sin_addr;
    }
    STEADY_DEBUG(tunnel->trace, "SOCKS 5, %s: to %s, port %u",
                 tunnel->proxy->user ? "with a user and password" : "without a log-in",
                 address ? address->text : url->host, (unsigned)url->port);
    return steady_socks_start(&tunnel->socks, tunnel->proxy, &target, out);
}

static bool speaks_http(const struct steady_tunnel *tunnel)
{
    return tunnel->proxy->scheme == STEADY_SCHEME_HTTP ||
           tunnel->proxy->scheme == STEADY_SCHEME_HTTPS;
}

bool steady_tunnel_start(struct steady_tunnel *tunnel, const struct steady_url *target,
                         const struct steady_url *proxy, const struct steady_address *address,
                         struct steady_trace *trace, struct steady_buffer *out)
{
    tunnel->target = target;
    tunnel->proxy = proxy;
    tunnel->trace = trace;
    return speaks_http(tunnel) ? ask_http(tunnel, out) : ask_socks(tunnel, address, out);
}

void steady_tunnel_free(struct steady_tunnel *tunnel)
{
    steady_response_free(&tunnel->answer);
    steady_socks_free(&tunnel->socks);
    *tunnel = (struct steady_tunnel){0};
}

/* ------------------------------------------------------------------------- the answer */

bool steady_tunnel_has_answered(const struct steady_tunnel *tunnel)
{
    enum steady_response_part part = tunnel->answer.part;
    return part == STEADY_RESPONSE_BODY || part == STEADY_RESPONSE_COMPLETE;
}

bool steady_tunnel_may_try_another(const struct steady_tunnel *tunnel)
{
    return steady_socks_may_try_another(&tunnel->socks);
}

/* Returns whether the proxy is another kind of server: a SOCKS proxy, whose answer begins with 0, 4
 * or 5, or a TLS server, whose answer begins with 0x15 or 0x16. (The text below also has the 0, at
 * its end.) The answer to CONNECT may then be too short to be a line, but its first byte cannot be
 * HTTP. */
static bool is_foreign(const struct steady_tunnel *tunnel)
{
    return tunnel->begun && tunnel->first < ' ' && strchr("\4\5\x15\x16", tunnel->first);
}

static size_t read_http(struct steady_tunnel *tunnel, const uint8_t *bytes, size_t size)
{
    if (!tunnel->begun && size > 0) {
        tunnel->begun = true;
        tunnel->first = bytes[0];
    }
    if (is_foreign(tunnel)) {
        tunnel->state = STEADY_TUNNEL_FAILED;
        return size;
    }
    bool in_head = tunnel->answer.part == STEADY_RESPONSE_HEAD;
    size_t used = steady_response_input(&tunnel->answer, bytes, size);
    if (in_head && tunnel->answer.part != STEADY_RESPONSE_HEAD)
        steady_trace_response(tunnel->trace, &tunnel->answer);
    if (tunnel->answer.part == STEADY_RESPONSE_COMPLETE)
        tunnel->state =
            tunnel->answer.status / 100 == 2 ? STEADY_TUNNEL_OPEN : STEADY_TUNNEL_FAILED;
    else if (tunnel->answer.part == STEADY_RESPONSE_BAD)
        tunnel->state = tunnel->answer.problem ? STEADY_TUNNEL_FAILED : STEADY_TUNNEL_OUT_OF_MEMORY;
    return used;
}

static void trace_socks(const struct steady_tunnel *tunnel)
{
    static const char *const steps[] = {
        [STEADY_SOCKS_LOGIN] = "the proxy wants the user and password",
        [STEADY_SOCKS_REPLY] = "the proxy lets us in",
        [STEADY_SOCKS_COMPLETE] = "the proxy is connected",
    };
    char text[256];
    if (tunnel->socks.part <= STEADY_SOCKS_COMPLETE && steps[tunnel->socks.part]) {
        STEADY_DEBUG(tunnel->trace, "SOCKS 5: %s", steps[tunnel->socks.part]);
    } else if (steady_traces(tunnel->trace, STEADY_LEVEL_DEBUG) && !tunnel->socks.memory_is_out) {
        steady_socks_explain(&tunnel->socks, text, sizeof text);
        steady_trace_line(tunnel->trace, STEADY_LEVEL_DEBUG, "SOCKS 5: %s", text);
    }
}

static size_t read_socks(struct steady_tunnel *tunnel, const uint8_t *bytes, size_t size,
                         struct steady_buffer *out)
{
    enum steady_socks_part before = tunnel->socks.part;
    size_t used = steady_socks_input(&tunnel->socks, bytes, size, out);
    if (tunnel->socks.part != before)
        trace_socks(tunnel);
    if (tunnel->socks.part == STEADY_SOCKS_COMPLETE)
        tunnel->state = STEADY_TUNNEL_OPEN;
    else if (tunnel->socks.memory_is_out)
        tunnel->state = STEADY_TUNNEL_OUT_OF_MEMORY;
    else if (tunnel->socks.part > STEADY_SOCKS_COMPLETE)
        tunnel->state = STEADY_TUNNEL_FAILED;
    return used;
}

size_t steady_tunnel_input(struct steady_tunnel *tunnel, const uint8_t *bytes, size_t size,
                           struct steady_buffer *out)
{
    return speaks_http(tunnel) ? read_http(tunnel, bytes, size)
                               : read_socks(tunnel, bytes, size, out);
}

/* ------------------------------------------------------------------------- what went wrong */

/* Returns the end of the list element that begins here: a comma outside of quotes (RFC 9110 section
 * 5.6.4), or the end of the text. */
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

/* Writes the schemes of the challenges without their parameters. Parameters are list elements as
 * well, but have an equals sign behind their names (RFC 9110 section 11.6.1). */
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

/* Writes how an HTTP proxy has refused, such as "answered 403 Forbidden". */
static void explain_status(const struct steady_response *answer, char *text, size_t size)
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

/* Returns what the first byte of the answer says about a proxy of another kind. */
static const char *foreign_name(uint8_t first)
{
    return first == 0x15 || first == 0x16
               ? "answers in TLS: the URL of a proxy that speaks TLS begins with https://"
               : "answers as a SOCKS proxy does, whose URL begins with socks5:// or socks5h://";
}

static void explain_http(const struct steady_tunnel *tunnel, char *text, size_t size)
{
    const struct steady_response *answer = &tunnel->answer;
    const char *name = tunnel->proxy->text;
    char status[384];
    if (is_foreign(tunnel)) {
        snprintf(text, size, "the proxy %s %s", name, foreign_name(tunnel->first));
    } else if (steady_tunnel_has_answered(tunnel)) {
        explain_status(answer, status, sizeof status);
        snprintf(text, size, "the proxy %s refused to connect to %s: it %s", name,
                 tunnel->target->authority, status);
    } else if (answer->part == STEADY_RESPONSE_BAD) {
        snprintf(text, size, "the answer of the proxy %s %s", name, answer->problem);
    } else {
        snprintf(text, size, "the proxy %s ended the connection", name);
    }
}

static void explain_socks(const struct steady_tunnel *tunnel, char *text, size_t size)
{
    const struct steady_socks *socks = &tunnel->socks;
    char what[256];
    steady_socks_explain(socks, what, sizeof what);
    if (socks->part == STEADY_SOCKS_REFUSED)
        snprintf(text, size, "the proxy %s refused to connect to %s: %s", tunnel->proxy->text,
                 tunnel->target->authority, what);
    else
        snprintf(text, size, "the proxy %s cannot be used: %s", tunnel->proxy->text, what);
}

void steady_tunnel_explain(const struct steady_tunnel *tunnel, char *text, size_t size)
{
    if (speaks_http(tunnel))
        explain_http(tunnel, text, size);
    else
        explain_socks(tunnel, text, size);
}
