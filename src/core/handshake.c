#include "core/handshake.h"

#include "core/ascii.h"
#include "core/token.h"

#include <stdio.h>
#include <string.h>

#define USUAL_REQUEST 256 /* bytes; enough for a request without headers of the user's */
#define QUOTED_MAX    64  /* bytes of what the server has sent that a message quotes at most */
#define QUOTED_SIZE   (QUOTED_MAX + sizeof "\"...\"")

/* --- text ------------------------------------------------------------------------------------ */

static struct steady_value value_of(const char *header)
{
    return header ? steady_trim(header, strlen(header)) : (struct steady_value){"", 0};
}

/* Returns whether the value is this text. Unlike steady_value_is, this function regards case. */
static bool is_exactly(struct steady_value value, const char *expected)
{
    return value.size == strlen(expected) && memcmp(value.text, expected, value.size) == 0;
}

/* --- the request ----------------------------------------------------------------------------- */

static bool user_gave(const struct steady_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (steady_value_is(value_of(request->headers[i].name), name))
            return true;
    return false;
}

static bool append_header(struct steady_buffer *out, const char *name, const char *value)
{
    return steady_buffer_append_texts(out, name, ": ", value, "\r\n");
}

/* Appends a header that an option asks for, unless the user has given a header of that name. */
static bool append_option(struct steady_buffer *out, const struct steady_request *request,
                          const char *name, const char *value)
{
    return !value || user_gave(request, name) || append_header(out, name, value);
}

static bool append_protocols(struct steady_buffer *out, const struct steady_request *request)
{
    if (request->protocol_count == 0)
        return true;
    bool ok = steady_buffer_append_texts(out, "Sec-WebSocket-Protocol: ");
    for (size_t i = 0; ok && i < request->protocol_count; i++)
        ok = steady_buffer_append_texts(out, i ? ", " : "", request->protocols[i]);
    return ok && steady_buffer_append_texts(out, "\r\n");
}

static bool append_extensions(struct steady_buffer *out, const struct steady_request *request)
{
    if (!request->compression || !request->compression->on)
        return true;
    return steady_buffer_append_texts(out, "Sec-WebSocket-Extensions: ") &&
           steady_extension_offer(out, request->compression) &&
           steady_buffer_append_texts(out, "\r\n");
}

static bool is_secret(const char *name)
{
    struct steady_value value = value_of(name);
    return steady_value_is(value, "Authorization") ||
           steady_value_is(value, "Proxy-Authorization") || steady_value_is(value, "Cookie");
}

static bool append_headers(struct steady_buffer *out, const struct steady_request *request)
{
    bool ok = true;
    for (size_t i = 0; ok && i < request->header_count; i++)
        if (!request->abroad || !is_secret(request->headers[i].name))
            ok = append_header(out, request->headers[i].name, request->headers[i].value);
    return ok;
}

bool steady_handshake_request(struct steady_buffer *out, const struct steady_request *request)
{
    return steady_buffer_reserve(out, USUAL_REQUEST) &&
           steady_buffer_append_texts(out, "GET ", request->url->path, " HTTP/1.1\r\n") &&
           append_header(out, "Host", request->url->authority) &&
           append_header(out, "Upgrade", "websocket") &&
           append_header(out, "Connection", "Upgrade") &&
           append_header(out, "Sec-WebSocket-Key", request->key) &&
           append_header(out, "Sec-WebSocket-Version", "13") && append_protocols(out, request) &&
           append_extensions(out, request) &&
           append_option(out, request, "Origin", request->origin) &&
           append_option(out, request, "Authorization", request->authorization) &&
           append_headers(out, request) && steady_buffer_append_texts(out, "\r\n");
}

/* --- the answer ------------------------------------------------------------------------------ */

struct steady_answer steady_handshake_answer(const struct steady_response *response)
{
    const struct steady_buffer *headers = &response->headers;
    return (struct steady_answer){
        .upgrade = steady_headers_find(headers, "upgrade"),
        .connection = steady_headers_find(headers, "connection"),
        .accept = steady_headers_find(headers, "sec-websocket-accept"),
        .protocol = steady_headers_find(headers, "sec-websocket-protocol"),
        .extensions = steady_headers_find(headers, "sec-websocket-extensions"),
        .http_1_0 = response->http_1_0,
    };
}

static bool is_offered(const struct steady_request *request, struct steady_value protocol)
{
    for (size_t i = 0; i < request->protocol_count; i++)
        if (is_exactly(protocol, request->protocols[i]))
            return true;
    return false;
}

/* Writes a value that the server has sent in quotes, so that it can be shown on a terminal and in a
 * log. Only printable ASCII is shown, and not more than QUOTED_MAX bytes. */
static void quote(char out[QUOTED_SIZE], struct steady_value value)
{
    char *at = out;
    *at++ = '"';
    for (size_t i = 0; i < value.size && i < QUOTED_MAX; i++)
        *at++ = steady_is_printable(value.text[i]) ? value.text[i] : '?';
    strcpy(at, value.size > QUOTED_MAX ? "...\"" : "\"");
}

struct check {
    const char *name, *sent; /* NULL when the header was not sent */
    bool good;
    const char *complaint;
    /* The text that goes on behind "the answer has no … header", or NULL. */
    const char *missing;
};

static void complain(const struct check *check, char *message, size_t size)
{
    if (!check->sent) {
        snprintf(message, size, "the answer has no %s header%s", check->name,
                 check->missing ? check->missing : "");
        return;
    }
    char quoted[QUOTED_SIZE];
    quote(quoted, value_of(check->sent));
    snprintf(message, size, "the answer's %s header %s: %s", check->name, check->complaint, quoted);
}

bool steady_handshake_check(const struct steady_request *request, const char *accept,
                            struct steady_answer *answer, char *message, size_t size)
{
    const char *extension_fault =
        steady_extension_read(answer->extensions, request->compression, &answer->compression);
    struct steady_value upgrade = value_of(answer->upgrade), accepted = value_of(answer->accept);
    const struct check checks[] = {
        {"Upgrade", answer->upgrade, steady_value_is(upgrade, "websocket"), "is not \"websocket\"",
         NULL},
        {"Connection", answer->connection, steady_lists(answer->connection, "upgrade"),
         "does not list \"Upgrade\"", NULL},
        {"Sec-WebSocket-Accept", answer->accept, is_exactly(accepted, accept),
         "does not belong to our key", NULL},
        {"Sec-WebSocket-Protocol", answer->protocol,
         answer->protocol ? is_offered(request, value_of(answer->protocol))
                          : !request->require_protocol,
         "is not a subprotocol that we offered",
         ": the server takes none of those that we offered, and require_protocol is set"},
        {"Sec-WebSocket-Extensions", answer->extensions, !extension_fault, extension_fault, NULL},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (checks[i].good)
            continue;
        complain(&checks[i], message, size);
        return false;
    }
    if (answer->http_1_0)
        snprintf(message, size, "the answer is one of HTTP/1.0, which knows no upgrade");
    return !answer->http_1_0;
}

/* --- what users give ------------------------------------------------------------------------- */

static bool is_owned(struct steady_value name)
{
    static const char *const owned[] = {"Host", "Upgrade", "Connection", "Content-Length",
                                        "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (steady_value_is(name, owned[i]))
            return true;
    return steady_value_begins(name, "Sec-WebSocket-");
}

const char *steady_handshake_bad_name(const char *name, size_t size)
{
    if (!steady_is_token(name, size))
        return "is not a header name (RFC 9110 section 5.1)";
    if (is_owned((struct steady_value){name, size}))
        return "belongs to the handshake and cannot be set";
    return NULL;
}

const char *steady_handshake_bad_value(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (steady_is_control(value[i]) && value[i] != '\t')
            return "has a control character (CR, LF and NUL are some)";
    return NULL;
}

const char *steady_handshake_bad_protocol(const char *protocol, size_t size)
{
    return steady_is_token(protocol, size) ? NULL : "is not a token (RFC 9110 section 5.6.2)";
}
