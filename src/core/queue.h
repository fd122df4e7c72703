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
    const uint8_t *data; /* in one piece; lives until the message leaves the queue */
    size_t size;         /* bytes */
    bool binary;
    double expires; /* on the caller's clock, seconds; INFINITY: never */
};

struct steady_queue_block;

/* Blocks that queues are through with, for them to use again: what goes back to the system comes
 * with page faults, which cost more than all the rest of sending. Zeroed: empty. */
struct steady_queue_pool {
    struct steady_queue_block *first;
    size_t bytes;
};

/* A place in the queue; block is NULL where there is no message to stand at. */
struct steady_queue_position {
    struct steady_queue_block *block;
    size_t offset;
};

struct steady_queue {
    struct steady_queue_block *first, *last; /* all blocks, oldest first */
    struct steady_queue_position oldest;    /* of those sent and kept; unused when there are none */
    struct steady_queue_position next;      /* the first waiting message that is not begun */
    struct steady_queue_position begun;     /* the message of steady_queue_begin */
    size_t waiting_bytes, waiting_messages; /* payload bytes; the begun message still counts here */
    size_t sent_bytes, sent_messages;       /* sent and kept */
    struct steady_message head;             /* what steady_queue_peek shows */
    struct steady_queue_pool *pool;         /* NULL: none. It must outlive the queue */
};

/* Adds a message at the end. False: out of memory, and the queue is as it was. */
bool steady_queue_push(struct steady_queue *queue, const uint8_t *data, size_t size, bool binary,
                       double expires);

/* Moves all of `front`, of which nothing was sent, to the head of `queue`, before the first
 * message, of which nothing may have been sent and kept or begun. `front` is empty afterwards.
 * Never fails. */
void steady_queue_prepend(struct steady_queue *queue, struct steady_queue *front);

/* The first message that waits, or NULL. The pointer is good until the next call for this queue. */
const struct steady_message *steady_queue_peek(struct steady_queue *queue);

/* Part of the message that steady_queue_peek shows has gone out: it stays there, and is not
 * dropped, until steady_queue_sent or, should the connection be lost, steady_queue_rewind. */
void steady_queue_begin(struct steady_queue *queue);

/* The message that steady_queue_peek shows has been sent: it leaves the queue, or, with keep, waits
 * for steady_queue_confirm. */
void steady_queue_sent(struct steady_queue *queue, bool keep);

/* Removes the oldest message of which nothing was sent (expired, or dropped for a newer one): what
 * steady_queue_peek shows, unless that is begun. Messages kept before it stay. False: there is
 * none. */
bool steady_queue_drop(struct steady_queue *queue);

/* The oldest `count` of those sent and kept have arrived: they leave the queue. */
void steady_queue_confirm(struct steady_queue *queue, size_t count);

/* The connection is gone: all that was sent and kept waits again, in its old order, first, and no
 * message is begun. */
void steady_queue_rewind(struct steady_queue *queue);

/* Empties it and gives all memory back. Returns how many messages that were, kept ones included.
 * Not while a connection is open, which may be in the middle of one: then steady_queue_drop. */
size_t steady_queue_clear(struct steady_queue *queue);

/* Gives its memory back; it can be used again. */
void steady_queue_pool_free(struct steady_queue_pool *pool);

#endif
