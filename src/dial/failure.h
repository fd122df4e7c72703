/* The reasons why an attempt to connect has failed. */
#ifndef STEADY_DIAL_FAILURE_H
#define STEADY_DIAL_FAILURE_H

#include "core/buffer.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_failure {
    enum steady_error error;
    const char *message; /* the reason, without the client's name and the address */
    int http_status;     /* 0 when there was no answer to the upgrade */
    const struct steady_buffer
        *headers;        /* the headers of the answer, see core/response.h; may be NULL */
    const uint8_t *body; /* the beginning of the answer's body; may be NULL */
    size_t body_size;
};

#define STEADY_HUNG_UP "the server closed the connection instead of answering the upgrade"

/* The first thing that went wrong. Later problems are ignored, since they may follow from it. A
 * zeroed struct has no cause. */
struct steady_cause {
    enum steady_error error;
    struct steady_buffer text;
};

/* Notes a cause, unless there is one already. `format` is as for printf. Control characters are
 * replaced by '?', because the text may have words of a server and may be shown on a terminal. */
void steady_cause_note(struct steady_cause *cause, enum steady_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns the text of the cause, or "out of memory" when there was none for it. The text is valid
 * until the cause is freed. */
const char *steady_cause_text(const struct steady_cause *cause);
void steady_cause_free(struct steady_cause *cause);

#endif
