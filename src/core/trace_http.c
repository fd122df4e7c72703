#include "core/trace_http.h"

#include "core/ascii.h"
#include "core/secrets.h"

#include <string.h>

static const char protocols[] = "sec-websocket-protocol";

/* Returns whether the word is a secret with its name in front, such as "token-x1y2". */
static bool holds_secret(const char *word, size_t size)
{
    return size > STEADY_WORD_MAX || (steady_secrets_is_name(word, size) &&
                                      (memchr(word, '-', size) || memchr(word, '.', size)));
}

/* Appends a list of subprotocols. Programs in browsers, which cannot set headers, put tokens there.
 * So a long word is hidden, and a word behind a name that announces a secret, as in "bearer, …". */
static bool append_protocols(struct steady_buffer *out, const char *at, size_t size)
{
    bool announced = false, done = true;
    while (size > 0 && done) {
        size_t blank = strspn(at, ", \t"), word;
        blank = blank < size ? blank : size;
        word = strcspn(at + blank, ", \t");
        word = word < size - blank ? word : size - blank;
        done = steady_buffer_append(out, at, blank) &&
               (announced || holds_secret(at + blank, word)
                    ? steady_buffer_append(out, STEADY_HIDDEN, strlen(STEADY_HIDDEN))
                    : steady_buffer_append(out, at + blank, word));
        announced = announced || steady_secrets_is_name(at + blank, word);
        at += blank + word;
        size -= blank + word;
    }
    return done;
}

static bool is_protocols(const char *name, size_t size)
{
    return size == strlen(protocols) && steady_is_same_text(name, protocols, size);
}

/* Writes a line about a header. `direction` is '>' or '<'. Behind the `value_size` bytes of the
 * value there is a NUL byte or CR LF. */
static void trace_header(struct steady_trace *trace, int direction, const char *name,
                         size_t name_size, const char *value, size_t value_size)
{
    struct steady_buffer shown = {0};
    bool made;
    if (is_protocols(name, name_size))
        made = append_protocols(&shown, value, value_size);
    else if (steady_secrets_may_show(name, name_size))
        made = steady_buffer_append(&shown, value, value_size);
    else
        made = steady_buffer_append(&shown, STEADY_HIDDEN, strlen(STEADY_HIDDEN));
    if (made)
        steady_trace_line(trace, STEADY_LEVEL_DEBUG, "%c %.*s: %.*s", direction, (int)name_size,
                          name, (int)shown.size, shown.data ? (const char *)shown.data : "");
    steady_buffer_free(&shown);
}

static void trace_request_line(struct steady_trace *trace, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    bool is_header = colon && !memchr(line, ' ', (size_t)(colon - line));
    if (!is_header) {
        steady_trace_line(trace, STEADY_LEVEL_DEBUG, "> %.*s", (int)size, line);
        return;
    }
    size_t name = (size_t)(colon - line), blank = strspn(colon + 1, " ");
    trace_header(trace, '>', line, name, colon + 1 + blank, size - name - 1 - blank);
}

void steady_trace_request(struct steady_trace *trace, const struct steady_buffer *request)
{
    const char *at = (const char *)request->data, *end = at + request->size, *line_end;
    if (!steady_traces(trace, STEADY_LEVEL_DEBUG))
        return;
    for (; at < end && (line_end = memchr(at, '\r', (size_t)(end - at))) && line_end > at;
         at = line_end + 2)
        trace_request_line(trace, at, (size_t)(line_end - at));
}

void steady_trace_response(struct steady_trace *trace, const struct steady_response *response)
{
    const char *at = (const char *)response->headers.data, *end = at + response->headers.size;
    if (!steady_traces(trace, STEADY_LEVEL_DEBUG) || !response->status)
        return;
    steady_trace_line(trace, STEADY_LEVEL_DEBUG, "< HTTP/1.%d %d %s", response->http_1_0 ? 0 : 1,
                      response->status, response->reason);
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        trace_header(trace, '<', at, strlen(at), value, strlen(value));
        at = value + strlen(value) + 1;
    }
}
