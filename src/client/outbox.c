#include "client/outbox.h"

#include <math.h>

size_t steady_outbox_bytes(const struct steady_client *c)
{
    return c->queue.waiting_bytes + c->greetings.waiting_bytes;
}

size_t steady_outbox_messages(const struct steady_client *c)
{
    return c->queue.waiting_messages + c->greetings.waiting_messages;
}

struct steady_queue *steady_outbox_first(struct steady_client *c)
{
    return c->greetings.waiting_messages ? &c->greetings : &c->queue;
}

/* Drops the oldest message that can be dropped. Returns whether there was one. */
static bool drop_one(struct steady_client *c)
{
    bool dropped = steady_queue_drop(&c->queue);
    c->stats.dropped += dropped;
    return dropped;
}

/* Drops that message if its time to live is over. Returns whether it did. */
static bool drop_expired(struct steady_client *c, double now)
{
    return steady_queue_expiry(&c->queue) <= now && drop_one(c);
}

double steady_outbox_deadline(const struct steady_client *c)
{
    return steady_queue_expiry(&c->queue);
}

void steady_outbox_check_expiry(struct steady_client *c, double now)
{
    while (drop_expired(c, now))
        ;
    steady_outbox_check_drain(c);
}

/* The sums are made in floating point, since twice a size need not fit into 32 bits. */
static bool fits(const struct steady_client *c, double bytes, double messages)
{
    const struct steady_queue_options *bounds = &c->options.queue;
    return bytes <= bounds->max_bytes && messages <= bounds->max_messages;
}

/* Returns whether a message that was refused can be sent now, and so much more that its sender need
 * not be told after each message: half of the queue is free. */
static bool has_room_again(const struct steady_client *c)
{
    const struct steady_queue *queue = &c->queue;
    double bytes = (double)queue->waiting_bytes + (double)queue->sent_bytes;
    double messages = (double)queue->waiting_messages + (double)queue->sent_messages;
    return c->refused && fits(c, bytes + (double)c->refused_size, messages + 1) &&
           fits(c, 2 * bytes, 2 * messages);
}

void steady_outbox_check_drain(struct steady_client *c)
{
    static const struct steady_event event = {.type = STEADY_EVENT_DRAIN};
    bool low = c->over_high_water && (double)steady_outbox_bytes(c) <= c->options.low_water;
    if (!low && !has_room_again(c))
        return;
    c->over_high_water = c->refused = false;
    steady_client_tell(c, &event);
}

/* Returns whether a message fits in beside those that cannot be dropped: one that is part-way out,
 * those that were sent and are not confirmed, and the first message of connect(). */
static bool can_have_room(const struct steady_client *c, size_t size)
{
    size_t bytes, messages = steady_queue_fixed(&c->queue, &bytes);
    return fits(c, (double)(c->queue.sent_bytes + bytes) + (double)size,
                (double)(c->queue.sent_messages + messages + 1));
}

/* Makes room for a message of `size` bytes, by dropping messages that have expired and, with
 * overflow = "drop_oldest", the oldest ones. Returns whether there is room. */
static bool make_room(struct steady_client *c, size_t size)
{
    const struct steady_queue *queue = &c->queue;
    while (!fits(c, (double)(queue->waiting_bytes + queue->sent_bytes) + (double)size,
                 (double)(queue->waiting_messages + queue->sent_messages + 1))) {
        bool may_drop = c->options.queue.overflow == STEADY_OVERFLOW_DROP_OLDEST;
        double now = steady_loop_exact_time(c->loop);
        if (!can_have_room(c, size) || !(drop_expired(c, now) || (may_drop && drop_one(c))))
            return false;
    }
    return true;
}

/* What on_open sends has the same bounds for itself, so that a full queue does not keep a log-in
 * back. It does not expire, since it goes out at once. */
static enum steady_error push_first(struct steady_client *c, struct steady_message *message)
{
    if (!fits(c, (double)c->greetings.waiting_bytes + (double)message->size,
              (double)(c->greetings.waiting_messages + 1)))
        return STEADY_QUEUE_FULL;
    return steady_queue_push(&c->greetings, message) ? STEADY_OK : STEADY_NETWORK;
}

static enum steady_error push(struct steady_client *c, struct steady_message *message)
{
    double ttl = c->options.queue.ttl;
    if (!make_room(c, message->size))
        return STEADY_QUEUE_FULL;
    if (!isinf(ttl))
        message->expires = steady_loop_exact_time(c->loop) + ttl;
    return steady_queue_push(&c->queue, message) ? STEADY_OK : STEADY_NETWORK;
}

enum steady_error steady_outbox_push(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    struct steady_message message = {
        .data = data, .size = size, .binary = binary, .expires = INFINITY};
    bool greeting = c->link.state == STEADY_LINK_GREETING;
    if ((double)size > c->options.queue.max_bytes)
        return STEADY_MESSAGE_SIZE;
    enum steady_error error = greeting ? push_first(c, &message) : push(c, &message);
    if (error == STEADY_QUEUE_FULL) {
        c->refused = true;
        c->refused_size = size;
    }
    if (error)
        return error;
    c->stats.accepted++;
    if ((double)steady_outbox_bytes(c) > c->options.high_water)
        c->over_high_water = true;
    return STEADY_OK;
}

size_t steady_outbox_discard(struct steady_client *c)
{
    size_t count = steady_queue_discard(&c->queue) + steady_queue_discard(&c->greetings);
    c->stats.dropped += count;
    steady_outbox_check_drain(c);
    return count;
}
