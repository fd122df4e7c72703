/* Messages waiting to be sent, in order, with room for those that were sent and are not yet
 * confirmed:
 *
 *      oldest                                              newest
 *      [ sent, kept until confirmed ][ waiting to be sent ]
 *                                    ^ steady_queue_peek
 *
 * Payloads are copied in behind each other into a list of blocks; there is no allocation a message
 * except for one that is larger than a block. A zeroed struct is an empty queue. */
#ifndef STEADY_CORE_QUEUE_H
#define STEADY_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_message {
    const uint8_t *data; /* stays until the message leaves the queue */
    size_t size;         /* bytes */
    bool binary;
    double expires; /* seconds on the caller's clock; INFINITY for never */
};

struct steady_queue_block;

/* Blocks that queues no longer need and will use again. Memory that goes back to the system and is
 * allocated anew causes page faults, which cost more than all the rest of sending. A zeroed struct
 * is an empty pool. */
struct steady_queue_pool {
    struct steady_queue_block *first;
    size_t bytes;
};

/* The position of a message in the queue; block is NULL when there is no such message. */
struct steady_queue_position {
    struct steady_queue_block *block;
    size_t offset;
};

struct steady_queue {
    struct steady_queue_block *first, *last; /* all blocks, oldest first */
    struct steady_queue_position oldest;     /* of the messages sent and kept; may be unused */
    struct steady_queue_position next;       /* of the first waiting message that is not begun */
    struct steady_queue_position begun;      /* of the message that steady_queue_begin has marked */
    size_t waiting_bytes, waiting_messages;  /* of payload; the message that is begun counts */
    size_t sent_bytes, sent_messages;        /* messages sent and kept */
    struct steady_message head;              /* the message that steady_queue_peek returns */
    struct steady_queue_pool *pool;          /* NULL for none; must outlive the queue */
};

/* Adds a copy of a message at the end. Returns false when memory is out, and then leaves the queue
 * as it was. */
bool steady_queue_push(struct steady_queue *queue, const uint8_t *data, size_t size, bool binary,
                       double expires);

/* Moves all messages of `front` to the head of `queue`, and leaves `front` empty. No message of
 * either may have been begun, or sent and kept. Never fails. */
void steady_queue_prepend(struct steady_queue *queue, struct steady_queue *front);

/* Returns the first message that waits, or NULL. The pointer is valid until the next call for this
 * queue. */
const struct steady_message *steady_queue_peek(struct steady_queue *queue);

/* Marks the message that steady_queue_peek returns as begun: a part of it has been sent. It cannot
 * be dropped until steady_queue_sent is called or, when the connection is lost,
 * steady_queue_rewind. */
void steady_queue_begin(struct steady_queue *queue);

/* Marks the message that steady_queue_peek returns as sent. It leaves the queue; or, with keep,
 * stays for steady_queue_confirm. */
void steady_queue_sent(struct steady_queue *queue, bool keep);

/* Removes the oldest message of which nothing was sent, because it has expired or to make room for
 * a newer one. Messages that were sent and kept stay. Returns false when there is none. */
bool steady_queue_drop(struct steady_queue *queue);

/* Removes the oldest `count` of the messages sent and kept, which have arrived. */
void steady_queue_confirm(struct steady_queue *queue, size_t count);

/* To be called when the connection is lost: the messages that were sent and kept wait again, before
 * all others and in their old order, and no message is begun. */
void steady_queue_rewind(struct steady_queue *queue);

/* Removes all messages, kept ones too, and frees all memory. Returns how many there were. Not to be
 * called while a connection is open, which may have sent a part of a message: then use
 * steady_queue_drop. */
size_t steady_queue_clear(struct steady_queue *queue);

/* Frees the pool's memory. The pool can be used again. */
void steady_queue_pool_free(struct steady_queue_pool *pool);

#endif
