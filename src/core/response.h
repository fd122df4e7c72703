/* The answer to the upgrade as a response of HTTP/1.1 (RFC 9112), read from bytes in any cut: its
 * head, and where it is none of status 101, the beginning of its body. Informational responses
 * before it are passed over (RFC 9110 section 15.2). No I/O. */
#ifndef STEADY_CORE_RESPONSE_H
#define STEADY_CORE_RESPONSE_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEADY_RESPONSE_HEAD_MAX (16 * 1024) /* bytes of all that stands before the body */
#define STEADY_RESPONSE_BODY_MAX 4096        /* bytes of the body that are kept */

enum steady_response_part {
    STEADY_RESPONSE_HEAD, /* is incomplete */
    STEADY_RESPONSE_BODY, /* is incomplete; status, reason and headers are there */
    STEADY_RESPONSE_COMPLETE,
    STEADY_RESPONSE_BAD, /* see problem */
};

/* A zeroed struct has read nothing. The first fields are for reading, but for `tunnel`, which may
 * be set before. */
struct steady_response {
    bool tunnel; /* it answers CONNECT: a 2xx ends with its head (RFC 9110 section 9.3.6) */
    enum steady_response_part part;
    int status;
    char reason[64];              /* what stands behind the status, as "Not Found"; may be cut */
    bool http_1_0;                /* and not 1.1 or later */
    struct steady_buffer headers; /* "name\0value\0" …, names in lower case and once: the values of
                                   * headers of one name are joined with commas (section 5.3) */
    struct steady_buffer body;    /* without the chunks' frames */
    const char *problem;          /* BAD: a static text as "is not HTTP"; NULL: out of memory */

    struct steady_buffer line; /* of the head, or of a chunk's frame */
    size_t head;               /* bytes */
    size_t last;               /* offset in headers: the end of the value that was read last */
    size_t left;               /* bytes of the body or of the chunk; SIZE_MAX: until the end */
    bool chunked, in_chunk;
};

/* Reads on. Returns how many of the bytes are the response's: all, unless it is complete now. */
size_t steady_response_input(struct steady_response *response, const uint8_t *bytes, size_t size);

void steady_response_free(struct steady_response *response);

/* The value of a header in "name\0value\0" form, or NULL. name is in lower case. */
const char *steady_headers_find(const struct steady_buffer *headers, const char *name);

#endif
