#include "net/parts.h"

#include <math.h>

/* Bytes that a message in the inbox counts beside its payload. */
#define INBOX_MESSAGE 32

/* ------------------------------------------------------------------------- the queue */

size_t steady_client_queued_bytes(const struct steady_client *c)
{
    return c->queue.waiting_bytes + c->front.waiting_bytes;
}

size_t steady_client_queued_messages(const struct steady_client *c)
{
    return c->queue.waiting_messages + c->front.waiting_messages;
}

size_t steady_client_buffered(const struct steady_client *c)
{
    return steady_client_queued_bytes(c) +
           (c->link.stream ? steady_stream_buffered(c->link.stream) : 0);
}

/* Whether the queue, having been over high_water, is at or under low_water. */
void steady_client_check_drain(struct steady_client *c)
{
    if (!c->over_high_water || (double)steady_client_queued_bytes(c) > c->options.low_water)
        return;
    struct steady_event event = {.type = STEADY_EVENT_DRAIN};
    c->over_high_water = false;
    steady_events_push(&c->events, &event);
    steady_ready_add(c->loop, &c->ready);
}

/* The oldest message that has not begun to go out is given up. */
static bool drop_one(struct steady_client *c)
{
    bool dropped = steady_queue_drop(&c->queue) || steady_queue_drop(&c->front);
    c->stats.dropped += dropped;
    return dropped;
}

/* The same, if its time is over: it has waited while nothing could be sent. */
static bool drop_expired(struct steady_client *c)
{
    const struct steady_message *oldest = steady_queue_peek(&c->queue);
    return oldest && !c->queue.begun.block && oldest->expires <= steady_loop_time(c->loop) &&
           drop_one(c);
}

static bool fits(const struct steady_client *c, size_t bytes, size_t messages)
{
    const struct steady_queue_options *bounds = &c->options.queue;
    return (double)bytes <= bounds->max_bytes && (double)messages <= bounds->max_messages;
}

/* Whether a message fits in beside what must stay: what is part-way out, or sent and not yet
 * confirmed. */
static bool can_have_room(struct steady_client *c, size_t size)
{
    const struct steady_message *begun = c->queue.begun.block ? steady_queue_peek(&c->queue) : NULL;
    return fits(c, c->queue.sent_bytes + (begun ? begun->size : 0) + size,
                c->queue.sent_messages + (begun != NULL) + 1);
}

/* Makes room for a message; with overflow = "drop_oldest" at the cost of those queued before. */
static bool make_room(struct steady_client *c, size_t size)
{
    while (!fits(c, steady_client_queued_bytes(c) + c->queue.sent_bytes + size,
                 steady_client_queued_messages(c) + c->queue.sent_messages + 1)) {
        bool may_drop = c->options.queue.overflow == STEADY_OVERFLOW_DROP_OLDEST;
        if (!can_have_room(c, size) || !(drop_expired(c) || (may_drop && drop_one(c))))
            return false;
    }
    return true;
}

enum steady_error steady_client_send(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_CLOSED;
    if (!binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    if (!make_room(c, size))
        return STEADY_QUEUE_FULL;
    double ttl = c->options.queue.ttl;
    if (!steady_queue_push(c->link.greeting ? &c->front : &c->queue, data, size, binary,
                           isinf(ttl) ? ttl : steady_loop_time(c->loop) + ttl))
        return STEADY_NETWORK;
    c->stats.accepted++;
    if ((double)steady_client_queued_bytes(c) > c->options.high_water)
        c->over_high_water = true;
    steady_link_flush_full(c);
    if (c->link.open && !c->delivering)
        steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

size_t steady_client_discard(struct steady_client *c)
{
    size_t count = 0;
    while (drop_one(c))
        count++;
    steady_client_check_drain(c);
    return count;
}

/* ------------------------------------------------------------------------- the inbox */

/* Empty messages are not for free. */
bool steady_client_inbox_has_room(const struct steady_client *c)
{
    size_t bytes = c->inbox.waiting_bytes + INBOX_MESSAGE * c->inbox.waiting_messages;
    return (double)bytes < c->options.inbox.max_bytes;
}

bool steady_client_keep(struct steady_client *c, const struct steady_event *event)
{
    return steady_queue_push(&c->inbox, event->data, event->size, event->binary, INFINITY);
}

const struct steady_message *steady_client_take(struct steady_client *c)
{
    return steady_queue_peek(&c->inbox);
}

void steady_client_taken(struct steady_client *c)
{
    bool was_full = !steady_link_can_deliver(c);
    steady_queue_sent(&c->inbox, false);
    if (was_full)
        steady_ready_add(c->loop, &c->ready);
}
