#include "core/response.h"

#include "core/ascii.h"
#include "core/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct steady_response *r, const char *problem)
{
    r->part = STEADY_RESPONSE_BAD;
    r->problem = problem;
}

/* ------------------------------------------------------------------------- headers */

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

bool steady_headers_stay_apart(const char *name)
{
    return !strcmp(name, "set-cookie");
}

/* Inserts text at the end of the value that was read last, which ends at r->last. */
static bool extend(struct steady_response *r, const char *text, size_t size)
{
    struct steady_buffer *headers = &r->headers;
    if (!steady_buffer_reserve(headers, size))
        return false;
    uint8_t *end = headers->data + r->last;
    memmove(end + size, end, headers->size - r->last);
    memcpy(end, text, size);
    headers->size += size;
    r->last += size;
    return true;
}

static bool add_name(struct steady_response *r, const char *name, size_t size)
{
    struct steady_buffer *headers = &r->headers;
    const size_t start = headers->size;
    if (!steady_buffer_append(headers, name, size) || !steady_buffer_append(headers, "\0", 2))
        return false;
    for (size_t i = start; i < start + size; i++)
        headers->data[i] = (uint8_t)steady_lower((char)headers->data[i]);
    headers->size = start; /* so that the name is looked for among the other headers only */
    const char *added = (char *)headers->data + start;
    const char *known =
        start && !steady_headers_stay_apart(added) ? steady_headers_find(headers, added) : NULL;
    if (known) {
        r->last = (size_t)(known - (char *)headers->data) + strlen(known);
        return extend(r, ", ", 2);
    }
    headers->size = start + size + 2;
    r->last = headers->size - 1;
    return true;
}

static bool add_value(struct steady_response *r, const char *value, size_t size)
{
    const struct steady_value trimmed = steady_trim(value, size);
    return extend(r, trimmed.text, trimmed.size);
}

/* Reads a line with a header. A line that begins with a blank continues the value of the line
 * before it (RFC 9112 section 5.2). */
static void read_header(struct steady_response *r, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    size_t name = colon ? (size_t)(colon - line) : 0;
    bool done;
    if (steady_is_blank(*line) && r->headers.size > 0) {
        done = extend(r, " ", 1) && add_value(r, line, size);
    } else if (steady_is_token(line, name)) {
        done = add_name(r, line, name) && add_value(r, colon + 1, size - name - 1);
    } else {
        fail(r, "has a line that is no header");
        return;
    }
    if (!done)
        fail(r, NULL);
}

/* ------------------------------------------------------------------------- the head */

/* Returns whether this is a line such as "HTTP/1.1 404 Not Found". The reason behind the status may
 * be missing (RFC 9112 section 4). */
static bool is_status_line(const char *line)
{
    static const char form[] = "HTTP/1.# ###"; /* # stands for a digit */
    size_t i = 0;
    while (form[i] && (form[i] == '#' ? steady_is_digit(line[i]) : line[i] == form[i]))
        i++;
    return !form[i] && line[9] != '0' && (line[i] == ' ' || line[i] == '\0');
}

static void read_status(struct steady_response *r, const char *line)
{
    if (!is_status_line(line)) {
        fail(r, "is not HTTP/1.1");
        return;
    }
    r->http_1_0 = line[7] == '0';
    r->status = atoi(line + 9);
    snprintf(r->reason, sizeof r->reason, "%s", line[12] ? line + 13 : "");
}

/* Finds out how the body ends (section 6.3). When no header says that there is a body, none is
 * expected, unless the server will end the connection: it says so, or it speaks HTTP/1.0. */
static void expect_body(struct steady_response *r)
{
    const char *length = steady_headers_find(&r->headers, "content-length");
    const char *coding = steady_headers_find(&r->headers, "transfer-encoding");
    const char *connection = steady_headers_find(&r->headers, "connection");
    r->head = 0;
    r->chunked = steady_lists(coding, "chunked");
    if (r->chunked)
        r->left = 0;
    else if (coding || (!length && (r->http_1_0 || steady_lists(connection, "close"))))
        r->left = SIZE_MAX;
    else
        r->left = length ? strtoul(length, NULL, 10) : 0;
    bool none = !r->chunked && r->left == 0;
    r->part = none || r->status == 204 || r->status == 304 ? STEADY_RESPONSE_COMPLETE
                                                           : STEADY_RESPONSE_BODY;
}

static void end_head(struct steady_response *r)
{
    if (r->status == 101 || (r->tunnel && r->status / 100 == 2)) {
        r->part = STEADY_RESPONSE_COMPLETE;
    } else if (r->status < 200) { /* an informational response, which the answer follows */
        r->status = 0;
        r->headers.size = 0;
    } else {
        expect_body(r);
    }
}

/* Returns whether the line has a control character other than a tab. Such characters are not
 * allowed in a head (RFC 9110 section 5.5). */
static bool has_control_character(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (steady_is_control(line[i]) && line[i] != '\t')
            return true;
    return false;
}

static void read_head_line(struct steady_response *r, const char *line, size_t size)
{
    if (has_control_character(line, size))
        fail(r, "has a control character in its head");
    else if (r->status == 0)
        read_status(r, line);
    else if (size > 0)
        read_header(r, line, size);
    else
        end_head(r);
}

/* ------------------------------------------------------------------------- the body */

/* Reads a line such as "1a;extension" in front of a chunk's data, or the empty line behind the data
 * (RFC 9112 section 7.1). A body that breaks the rules ends at that place, without an error,
 * because only the status matters. */
static void read_chunk_line(struct steady_response *r, const char *line, size_t size)
{
    if (size == 0 && r->in_chunk) {
        r->in_chunk = false;
        return;
    }
    r->left = strtoul(line, NULL, 16);
    r->in_chunk = true;
    if (r->left == 0)
        r->part = STEADY_RESPONSE_COMPLETE;
}

static size_t read_body(struct steady_response *r, const uint8_t *bytes, size_t size)
{
    size_t room = STEADY_RESPONSE_BODY_MAX - r->body.size;
    if (size > r->left)
        size = r->left;
    if (!steady_buffer_append(&r->body, bytes, size < room ? size : room))
        fail(r, NULL);
    if (r->left != SIZE_MAX)
        r->left -= size;
    if (r->body.size == STEADY_RESPONSE_BODY_MAX || (r->left == 0 && !r->chunked))
        r->part = STEADY_RESPONSE_COMPLETE;
    return size;
}

/* ------------------------------------------------------------------------- input */

/* Reads up to the end of a line, which is CRLF or LF alone (RFC 9112 section 2.2). Returns how many
 * bytes it has read. */
static size_t read_line(struct steady_response *r, const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, '\n', size);
    size_t used = end ? (size_t)(end - bytes) + 1 : size;
    bool in_head = r->part == STEADY_RESPONSE_HEAD;
    r->head += used;
    if (r->head > STEADY_RESPONSE_HEAD_MAX) {
        if (in_head)
            fail(r, "has a head of over 16 KiB");
        else
            r->part = STEADY_RESPONSE_COMPLETE;
        return used;
    }
    if (!steady_buffer_append(&r->line, bytes, used)) {
        fail(r, NULL);
        return used;
    }
    if (!end)
        return used;
    char *line = (char *)r->line.data;
    size_t length = r->line.size - 1;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    r->line.size = 0;
    if (in_head)
        read_head_line(r, line, length);
    else
        read_chunk_line(r, line, length);
    return used;
}

/* Returns whether the bytes of the first line can be the beginning of HTTP. A server of another
 * protocol may send less than a line and then wait for an answer. */
static bool can_be_http(const struct steady_response *r)
{
    return r->status != 0 || r->line.size == 0 ||
           !strncmp((const char *)r->line.data, "HTTP/1.", r->line.size < 7 ? r->line.size : 7);
}

size_t steady_response_input(struct steady_response *r, const uint8_t *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && r->part < STEADY_RESPONSE_COMPLETE) {
        if (r->part == STEADY_RESPONSE_BODY && r->left > 0)
            used += read_body(r, bytes + used, size - used);
        else
            used += read_line(r, bytes + used, size - used);
        if (r->part == STEADY_RESPONSE_HEAD && !can_be_http(r))
            fail(r, "is not HTTP/1.1");
    }
    return used;
}

void steady_response_free(struct steady_response *r)
{
    steady_buffer_free(&r->headers);
    steady_buffer_free(&r->body);
    steady_buffer_free(&r->line);
    *r = (struct steady_response){0};
}
