#define _GNU_SOURCE /* strcasestr */
#include "net/answer.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#if LWS_LIBRARY_VERSION_NUMBER < 4002000
/* Before 4.2 the library lists only the headers it knows by name; of the others it can be asked for
 * one at a time. These are what WebSocket servers, gateways and proxies send. */
static const char *const custom[] = {
    "x-request-id:",
    "x-correlation-id:",
    "x-trace-id:",
    "traceparent:",
    "x-powered-by:",
    "x-error:",
    "x-error-code:",
    "x-error-message:",
    "x-reason:",
    "x-retry-after:",
    "x-ratelimit-limit:",
    "x-ratelimit-remaining:",
    "x-ratelimit-reset:",
    "ratelimit-limit:",
    "ratelimit-remaining:",
    "ratelimit-reset:",
    "ratelimit:",
    "ratelimit-policy:",
    "x-amzn-requestid:",
    "x-amzn-errortype:",
    "x-amzn-trace-id:",
    "cf-ray:",
    "x-cache:",
    "x-served-by:",
    "x-session-id:",
    "x-frame-options:",
    "x-content-type-options:",
    "alt-svc:",
    "sec-websocket-version:",
    "sec-websocket-version-server:",
    "x-test:",
    "x-version:",
};
#endif

/* Appends "name\0value\0"; name ends with a colon, which is left out. */
static bool append(struct steady_buffer *headers, const char *name, const char *value)
{
    return steady_buffer_append(headers, name, strlen(name) - 1) &&
           steady_buffer_append(headers, "", 1) &&
           steady_buffer_append(headers, value, strlen(value) + 1);
}

static bool append_token(struct steady_buffer *headers, struct lws *wsi,
                         enum lws_token_indexes token)
{
    const char *name = (const char *)lws_token_to_string(token);
    int length = lws_hdr_total_length(wsi, token);
    size_t size = name ? strlen(name) : 0;
    if (length <= 0 || size < 2 || name[0] == ':' || name[size - 1] != ':')
        return true; /* not there, or no header: methods and pseudo headers are tokens too */
    char *value = malloc((size_t)length + 1);
    bool done =
        value && (lws_hdr_copy(wsi, value, length + 1, token) < 0 || append(headers, name, value));
    free(value);
    return done;
}

static bool append_custom(struct steady_buffer *headers, struct lws *wsi, const char *name,
                          int size)
{
    int length = lws_hdr_custom_length(wsi, name, size);
    if (length <= 0)
        return true;
    char *value = malloc((size_t)length + 1);
    bool done = value && (lws_hdr_custom_copy(wsi, value, length + 1, name, size) < 0 ||
                          append(headers, name, value));
    free(value);
    return done;
}

#if LWS_LIBRARY_VERSION_NUMBER >= 4002000
struct listing {
    struct lws *wsi;
    struct steady_buffer *headers;
    bool failed;
};

static void list_custom(const char *name, int size, void *opaque)
{
    struct listing *listing = opaque;
    char *copy = strndup(name, (size_t)size); /* it is not terminated */
    if (!copy || !append_custom(listing->headers, listing->wsi, copy, size))
        listing->failed = true;
    free(copy);
}
#endif

static bool append_customs(struct steady_buffer *headers, struct lws *wsi)
{
#if LWS_LIBRARY_VERSION_NUMBER >= 4002000
    struct listing listing = {wsi, headers, false};
    lws_hdr_custom_name_foreach(wsi, list_custom, &listing);
    return !listing.failed;
#else
    for (size_t i = 0; i < sizeof custom / sizeof *custom; i++)
        if (!append_custom(headers, wsi, custom[i], (int)strlen(custom[i])))
            return false;
    return true;
#endif
}

const char *steady_headers_find(const struct steady_buffer *headers, const char *name)
{
    const char *at = (const char *)headers->data, *end = at ? at + headers->size : at;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (!strcmp(at, name))
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* The status line comes as "404 Not Found". */
static void read_status(struct steady_http_answer *answer, struct lws *wsi)
{
    char line[sizeof answer->reason + 4];
    /* A line that is too long is not copied at all; its status is, in some way, 0. */
    if (lws_hdr_copy(wsi, line, sizeof line, WSI_TOKEN_HTTP) <= 0 &&
        lws_hdr_copy(wsi, line, sizeof line, WSI_TOKEN_HTTP1_0) <= 0)
        return;
    char *reason;
    answer->fields.status = (int)strtol(line, &reason, 10);
    strcpy(answer->reason, *reason == ' ' ? reason + 1 : reason);
}

static void find_fields(struct steady_http_answer *answer)
{
    const struct steady_buffer *headers = &answer->headers;
    answer->fields.upgrade = steady_headers_find(headers, "upgrade");
    answer->fields.connection = steady_headers_find(headers, "connection");
    answer->fields.accept = steady_headers_find(headers, "sec-websocket-accept");
    answer->fields.protocol = steady_headers_find(headers, "sec-websocket-protocol");
    answer->fields.extensions = steady_headers_find(headers, "sec-websocket-extensions");
    answer->fields.has_body = steady_headers_find(headers, "content-length") ||
                              steady_headers_find(headers, "transfer-encoding");
    answer->location = steady_headers_find(headers, "location");
}

bool steady_answer_read(struct steady_http_answer *answer, struct lws *wsi)
{
    answer->headers.size = 0;
    answer->fields = (struct steady_answer){0};
    read_status(answer, wsi);
    if (!answer->fields.status)
        answer->fields.status = (int)lws_http_client_http_response(wsi);
    for (int token = 0; token < WSI_TOKEN_COUNT; token++)
        if (!append_token(&answer->headers, wsi, (enum lws_token_indexes)token))
            return false;
    if (!append_customs(&answer->headers, wsi))
        return false;
    find_fields(answer);
    return true;
}

size_t steady_answer_body_size(const struct steady_http_answer *answer)
{
    const char *length = steady_headers_find(&answer->headers, "content-length");
    const char *connection = answer->fields.connection;
    if (length)
        return strtoul(length, NULL, 10);
    bool announced = steady_headers_find(&answer->headers, "transfer-encoding") ||
                     (connection && strcasestr(connection, "close"));
    return announced ? SIZE_MAX : 0;
}

void steady_answer_free(struct steady_http_answer *answer)
{
    steady_buffer_free(&answer->headers);
}
