#include "client/inbox.h"

#include <math.h>

/* A message counts for this many bytes besides its payload, because even an empty message takes
 * memory. */
#define MESSAGE_COST 32

bool steady_inbox_has_room(const struct steady_client *c)
{
    size_t bytes = c->inbox.waiting_bytes + MESSAGE_COST * c->inbox.waiting_messages;
    return (double)bytes < c->options.inbox.max_bytes;
}

bool steady_inbox_keep(struct steady_client *c, const struct steady_event *event)
{
    return steady_queue_push(&c->inbox, &(struct steady_message){.data = event->data,
                                                                 .size = event->size,
                                                                 .binary = event->binary,
                                                                 .expires = INFINITY});
}

const struct steady_message *steady_inbox_peek(struct steady_client *c)
{
    return steady_queue_peek(&c->inbox);
}

void steady_inbox_drop(struct steady_client *c)
{
    steady_queue_sent(&c->inbox, false);
}
