/* A queue of messages that wait to be sent, in order. It can also keep messages that were sent
 * until they are confirmed:
 *
 *      oldest                                              newest
 *      [ sent, kept until confirmed ][ waiting to be sent ]
 *                                    ^ steady_queue_peek
 *
 * Payloads are copied one behind the other into a list of blocks. Only a message that is larger
 * than a block needs an allocation of its own. A zeroed struct is an empty queue. */
#ifndef STEADY_CORE_QUEUE_H
#define STEADY_CORE_QUEUE_H

#include "core/queue_pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_message {
    const uint8_t *data; /* stays until the message leaves the queue */
    size_t size;         /* bytes */
    double expires;      /* seconds on the caller's clock; INFINITY for never */
    bool binary;
    bool stays; /* it is never dropped to make room, and has to be sent first */
};

/* The position of a message in the queue; block is NULL when there is no such message. */
struct steady_queue_position {
    struct steady_queue_block *block;
    size_t offset;
};

struct steady_queue {
    struct steady_queue_block *first, *last; /* all blocks, the oldest one first */
    /* The oldest message that was sent and kept. The position has no meaning when there is none. */
    struct steady_queue_position oldest;
    /* The first waiting message whose sending has not begun. */
    struct steady_queue_position next;
    struct steady_queue_position begun;     /* the message that steady_queue_begin has marked */
    size_t waiting_bytes, waiting_messages; /* bytes of payload, and messages; both count the
                                               message whose sending has begun */
    size_t sent_bytes, sent_messages;       /* the same for the messages that were sent and kept */
    struct steady_message head;             /* the message that steady_queue_peek returns */
    struct steady_queue_pool *pool;         /* NULL for none; must outlive the queue */
};

/* Adds a copy of a message at the end. Returns false when memory is out, and then leaves the queue
 * unchanged. */
bool steady_queue_push(struct steady_queue *queue, const struct steady_message *message);

/* Moves all messages of `front` to the head of `queue`, and leaves `front` empty. In neither queue
 * may a message be begun, or sent and kept. This function never fails. */
void steady_queue_prepend(struct steady_queue *queue, struct steady_queue *front);

/* Returns the first message that waits, or NULL. The pointer is valid until the next call for this
 * queue. */
const struct steady_message *steady_queue_peek(struct steady_queue *queue);

/* Marks the message that steady_queue_peek returns as begun, because a part of it has been sent.
 * The message cannot be dropped until steady_queue_sent is called or, when the connection is lost,
 * steady_queue_rewind. */
void steady_queue_begin(struct steady_queue *queue);

/* Marks the message that steady_queue_peek returns as sent. The message leaves the queue or, with
 * `keep`, stays for steady_queue_confirm. */
void steady_queue_sent(struct steady_queue *queue, bool keep);

/* Removes the oldest message of which nothing was sent, and that need not stay: because it has
 * expired, or to make room for a newer one. Messages that were sent and kept stay. Returns false
 * when there is none. */
bool steady_queue_drop(struct steady_queue *queue);

/* Returns how many messages that wait cannot be dropped, and sets *bytes to their payload: the one
 * that is begun, and those that stay. */
size_t steady_queue_fixed(const struct steady_queue *queue, size_t *bytes);

/* Returns when the message that steady_queue_drop would remove expires, or INFINITY when there is
 * none. */
double steady_queue_expiry(const struct steady_queue *queue);

/* Removes all messages of which nothing was sent, those that should stay included. Returns how many
 * there were. */
size_t steady_queue_discard(struct steady_queue *queue);

/* Removes the oldest `count` messages of those that were sent and kept, because they have arrived.
 */
void steady_queue_confirm(struct steady_queue *queue, size_t count);

/* Has to be called when the connection is lost. The messages that were sent and kept wait again,
 * before all others and in their old order, and no message is begun any more. */
void steady_queue_rewind(struct steady_queue *queue);

/* Removes all messages, including the kept ones, and frees all memory. Returns how many there were.
 * While a connection is open, it may have sent a part of a message, so steady_queue_drop has to be
 * used then. */
size_t steady_queue_clear(struct steady_queue *queue);

#endif
