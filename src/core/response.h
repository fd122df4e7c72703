/* Reads the answer to the upgrade, a response of HTTP/1.1 (RFC 9112), from pieces of any size,
 * without I/O. It reads the head and, unless the status is 101, the beginning of the body. It skips
 * informational responses in front of the answer (RFC 9110 section 15.2). */
#ifndef STEADY_CORE_RESPONSE_H
#define STEADY_CORE_RESPONSE_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_RESPONSE_HEAD_MAX (16 * 1024) /* bytes of everything in front of the body */
#define STEADY_RESPONSE_BODY_MAX 4096        /* bytes of the body that are kept */

enum steady_response_part {
    STEADY_RESPONSE_HEAD, /* the head is incomplete */
    STEADY_RESPONSE_BODY, /* the head is complete, the body is not */
    STEADY_RESPONSE_COMPLETE,
    STEADY_RESPONSE_BAD, /* see the member `problem` */
};

/* A zeroed struct has read nothing. The caller may read the members in front of `line`, and may set
 * `tunnel` before the first byte arrives. */
struct steady_response {
    bool tunnel; /* whether this is an answer to CONNECT: a 2xx one ends with its head (RFC 9110
                    section 9.3.6) */
    enum steady_response_part part;
    int status;
    char reason[64]; /* the text behind the status, such as "Not Found"; may be cut */
    bool http_1_0;   /* whether the version is HTTP/1.0 */
    /* "name\0value\0" for each name, which is in lower case. The values of several headers with the
     * same name are joined with commas (RFC 9110 section 5.3), unless steady_headers_stay_apart
     * says otherwise: then there is such a pair for each header. */
    struct steady_buffer headers;
    struct steady_buffer body; /* the beginning of the body, without the lines between the chunks */
    const char *problem; /* set when `part` is STEADY_RESPONSE_BAD: a static text such as "is not
                            HTTP/1.1", or NULL when memory is out */

    struct steady_buffer line; /* an incomplete line of the head, or of the lines between chunks */
    size_t head;               /* bytes of the head so far */
    size_t last;               /* the position in `headers` behind the value that was read last */
    size_t left; /* bytes of the body, or of the chunk, that have not arrived; SIZE_MAX when the
                    body ends with the connection */
    bool chunked, in_chunk;
};

/* Reads the next piece. Returns how many of the bytes belong to the response. These are all of
 * them, unless the response is complete now. */
size_t steady_response_input(struct steady_response *response, const uint8_t *bytes, size_t size);

/* Returns whether any byte has been read. */
static inline bool steady_response_has_begun(const struct steady_response *response)
{
    return response->head > 0;
}

void steady_response_free(struct steady_response *response);

/* Returns the value of a header, or NULL when there is none. For headers that stay apart it returns
 * the first value. `headers` has the form that struct steady_response describes. `name` is in lower
 * case. */
const char *steady_headers_find(const struct steady_buffer *headers, const char *name);

/* Returns whether the values of several headers of this name must not be joined: those of
 * Set-Cookie have commas that separate nothing (RFC 9110 section 5.3, RFC 6265 section 3). `name`
 * is in lower case. */
bool steady_headers_stay_apart(const char *name);

#endif
