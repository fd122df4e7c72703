/* The events of a client that its owner has not handled yet, in order. */
#ifndef STEADY_CLIENT_EVENTS_H
#define STEADY_CLIENT_EVENTS_H

#include "core/buffer.h"
#include "core/error.h"
#include "core/session.h"
#include "core/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum steady_event_type {
    STEADY_EVENT_INCOMPLETE, /* events are missing here, because there was no memory for them */
    STEADY_EVENT_LINE,       /* a line for the log, see client/trace.h */
    STEADY_EVENT_STATUS,
    STEADY_EVENT_OPEN,
    STEADY_EVENT_CLOSE, /* an open connection ended */
    STEADY_EVENT_ERROR, /* an attempt failed, or an open connection is about to end by a failure */
    STEADY_EVENT_MESSAGE,
    STEADY_EVENT_DRAIN, /* the queue was over high_water and is at low_water or below again */
    STEADY_EVENT_PONG,  /* the peer has answered a ping that the program sent */
};

enum steady_side { STEADY_BY_PEER, STEADY_BY_US, STEADY_BY_NETWORK };

/* The type decides which members mean something. */
struct steady_event {
    enum steady_event_type type;
    enum steady_status status, old_status; /* STATUS */
    enum steady_level level;               /* LINE */

    const uint8_t *data; /* MESSAGE, PONG: the payload; CLOSE: the reason; ERROR: the
                          * beginning of the answer's body, or NULL */
    size_t size;
    bool binary; /* MESSAGE */

    bool reconnected;     /* OPEN: whether there was another connection since connect() */
    const char *protocol; /* OPEN: the subprotocol; NULL when there is none */
    const char *url;      /* OPEN, ERROR: without user and password; NULL when it is not known */
    const char *address;  /* OPEN: the literal address of the peer */
    const struct steady_buffer
        *headers; /* OPEN, ERROR: the headers of the answer, see core/response.h; may be NULL */

    uint16_t code;       /* CLOSE */
    bool clean;          /* CLOSE: whether both sides have sent a close frame */
    enum steady_side by; /* CLOSE */

    enum steady_error error; /* ERROR */
    const char *message;     /* ERROR, LINE */
    int http_status;         /* ERROR: 0 when there was no answer */
    double retry_after;      /* ERROR: seconds for which the server asks in Retry-After, or 0 */

    unsigned attempt; /* OPEN, ERROR */
    double delay; /* CLOSE, ERROR: seconds until the next attempt; negative when there is none */
};

struct steady_queued_event;

/* A zeroed struct has no events. */
struct steady_events {
    struct steady_queued_event *first, *last, *current;
    bool incomplete;   /* whether an event could not be queued, because memory was out */
    size_t count;      /* how many events are queued */
    size_t line_bytes; /* bytes of the LINE events that are queued */
};

/* Queues a copy of the event, with copies of all that it points to. Returns false when memory is
 * out; then the owner gets STEADY_EVENT_INCOMPLETE. */
bool steady_events_push(struct steady_events *events, const struct steady_event *event);

/* Does the same, but puts the event behind `after`, which must still be queued, or in front of all
 * events when `after` is NULL. */
bool steady_events_insert(struct steady_events *events, struct steady_queued_event *after,
                          const struct steady_event *event);

/* Removes the first event from the queue and gives it. When the queue is empty and events are
 * missing, gives STEADY_EVENT_INCOMPLETE once. What the event points to is valid until the next
 * call. Returns false when there is no event. */
bool steady_events_pop(struct steady_events *events, struct steady_event *event);
bool steady_events_empty(const struct steady_events *events);
void steady_events_clear(struct steady_events *events);

#endif
