/* The answer to the upgrade, read out of libwebsockets, which forgets it soon. */
#ifndef STEADY_NET_ANSWER_H
#define STEADY_NET_ANSWER_H

#include "core/buffer.h"
#include "core/handshake.h"

#include <stdbool.h>

struct lws;

struct steady_http_answer {
    struct steady_answer fields;  /* pointers into headers */
    char reason[64];              /* behind the status, as "Not Found" */
    const char *location;         /* NULL: no such header */
    struct steady_buffer headers; /* "name\0value\0" …, names in lower case */
};

/* Reads it; call it while the library has it: in LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, and in
 * the later ones of a connection that is refused. fields.status is 0 when there is no answer.
 * False: out of memory. The struct must be zeroed or filled by an earlier call. */
bool steady_answer_read(struct steady_http_answer *answer, struct lws *wsi);
/* Bytes of the body to wait for; SIZE_MAX: chunks, or all until the end of the connection. */
size_t steady_answer_body_size(const struct steady_http_answer *answer);

void steady_answer_free(struct steady_http_answer *answer);

/* The value of a header in "name\0value\0" form, or NULL. name is in lower case. */
const char *steady_headers_find(const struct steady_buffer *headers, const char *name);

#endif
