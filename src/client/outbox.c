#include "client/outbox.h"

#include <math.h>

size_t steady_outbox_bytes(const struct steady_client *c)
{
    return c->queue.waiting_bytes + c->front.waiting_bytes;
}

size_t steady_outbox_messages(const struct steady_client *c)
{
    return c->queue.waiting_messages + c->front.waiting_messages;
}

void steady_outbox_check_drain(struct steady_client *c)
{
    static const struct steady_event event = {.type = STEADY_EVENT_DRAIN};
    if (!c->over_high_water || (double)steady_outbox_bytes(c) > c->options.low_water)
        return;
    c->over_high_water = false;
    steady_client_tell(c, &event);
}

/* Drops the oldest message whose sending has not begun. Returns whether there was one. */
static bool drop_one(struct steady_client *c)
{
    bool dropped = steady_queue_drop(&c->queue) || steady_queue_drop(&c->front);
    c->stats.dropped += dropped;
    return dropped;
}

/* Drops the oldest message if its sending has not begun and its time to live is over. Returns
 * whether it has dropped the message. */
static bool drop_expired(struct steady_client *c)
{
    const struct steady_message *oldest = steady_queue_peek(&c->queue);
    return oldest && !c->queue.begun.block && oldest->expires <= steady_loop_exact_time(c->loop) &&
           drop_one(c);
}

static bool fits(const struct steady_client *c, size_t bytes, size_t messages)
{
    const struct steady_queue_options *bounds = &c->options.queue;
    return (double)bytes <= bounds->max_bytes && (double)messages <= bounds->max_messages;
}

/* Returns whether a message of `size` bytes fits beside the messages that must stay: one whose
 * sending has begun, and those that were sent and are not confirmed yet. */
static bool can_have_room(struct steady_client *c, size_t size)
{
    const struct steady_message *begun = c->queue.begun.block ? steady_queue_peek(&c->queue) : NULL;
    return fits(c, c->queue.sent_bytes + (begun ? begun->size : 0) + size,
                c->queue.sent_messages + (begun != NULL) + 1);
}

/* Makes room for a message of `size` bytes, by dropping messages that have expired and, with
 * overflow = "drop_oldest", the oldest ones. Returns whether there is room. */
static bool make_room(struct steady_client *c, size_t size)
{
    while (!fits(c, steady_outbox_bytes(c) + c->queue.sent_bytes + size,
                 steady_outbox_messages(c) + c->queue.sent_messages + 1)) {
        bool may_drop = c->options.queue.overflow == STEADY_OVERFLOW_DROP_OLDEST;
        if (!can_have_room(c, size) || !(drop_expired(c) || (may_drop && drop_one(c))))
            return false;
    }
    return true;
}

enum steady_error steady_outbox_push(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    bool greeting = c->link.state == STEADY_LINK_GREETING;
    double ttl = c->options.queue.ttl;
    if (!make_room(c, size))
        return STEADY_QUEUE_FULL;
    if (!steady_queue_push(greeting ? &c->front : &c->queue, data, size, binary,
                           isinf(ttl) ? ttl : steady_loop_exact_time(c->loop) + ttl))
        return STEADY_NETWORK;
    c->stats.accepted++;
    if ((double)steady_outbox_bytes(c) > c->options.high_water)
        c->over_high_water = true;
    return STEADY_OK;
}

size_t steady_outbox_discard(struct steady_client *c)
{
    size_t count = 0;
    while (drop_one(c))
        count++;
    steady_outbox_check_drain(c);
    return count;
}
