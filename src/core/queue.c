#include "core/queue.h"

#include "core/queue_pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of the smallest block, with its bookkeeping. An empty queue may keep one such block. */
#define BLOCK_MIN 1024

/* A message in a block. A message that leaves the queue is only marked as gone. Its memory is freed
 * with the whole block. */
struct record {
    size_t size; /* bytes of payload */
    double expires;
    bool binary, stays, gone;
    uint8_t payload[];
};

static struct record *record_at(struct steady_queue_position position)
{
    return (struct record *)((uint8_t *)position.block->records + position.offset);
}

static size_t record_length(size_t size)
{
    size_t align = _Alignof(struct record);
    return (offsetof(struct record, payload) + size + align - 1) / align * align;
}

/* Returns the position of the first message that is not marked as gone, from this position on. */
static struct steady_queue_position seek(struct steady_queue_position position)
{
    while (position.block) {
        if (position.offset == position.block->end)
            position = (struct steady_queue_position){position.block->next, 0};
        else if (record_at(position)->gone)
            position.offset += record_length(record_at(position)->size);
        else
            break;
    }
    return position;
}

static struct steady_queue_position behind(struct steady_queue_position position)
{
    position.offset += record_length(record_at(position)->size);
    return seek(position);
}

static void remove_block(struct steady_queue *queue, struct steady_queue_block *block)
{
    *(block->previous ? &block->previous->next : &queue->first) = block->next;
    *(block->next ? &block->next->previous : &queue->last) = block->previous;
    steady_queue_pool_put(queue->pool, block);
}

/* Marks a message as gone, and frees its block when that was the last message in it. Nothing may
 * point to the message any more. */
static void release(struct steady_queue *queue, struct steady_queue_position position)
{
    struct steady_queue_block *block = position.block;
    record_at(position)->gone = true;
    block->bytes -= record_at(position)->size;
    if (--block->live > 0)
        return;
    bool only = queue->first == queue->last;
    if (only && sizeof *block + block->capacity <= BLOCK_MIN)
        block->end = 0;
    else
        remove_block(queue, block);
}

static bool add_block(struct steady_queue *queue, size_t record)
{
    struct steady_queue_block *last = queue->last, *block;
    size_t size = BLOCK_MIN;
    if (last)
        size = steady_queue_block_size(last) < STEADY_QUEUE_BLOCK_MAX / 2
                   ? 2 * steady_queue_block_size(last)
                   : STEADY_QUEUE_BLOCK_MAX;
    if (size - sizeof *block < record)
        size = sizeof *block + record;
    block = steady_queue_pool_get(queue->pool, &size);
    if (!block)
        return false;
    if (last && last->live == 0) { /* the empty queue had kept this block, which is too small now */
        remove_block(queue, last);
        last = NULL;
    }
    *block = (struct steady_queue_block){.previous = last, .capacity = size - sizeof *block};
    *(last ? &last->next : &queue->first) = block;
    queue->last = block;
    return true;
}

bool steady_queue_push(struct steady_queue *queue, const struct steady_message *message)
{
    const size_t size = message->size;
    if (size > SIZE_MAX / 2)
        return false;
    size_t length = record_length(size);
    if (!queue->last || queue->last->capacity - queue->last->end < length)
        if (!add_block(queue, length))
            return false;
    struct steady_queue_position position = {queue->last, queue->last->end};
    struct record *record = record_at(position);
    *record = (struct record){.size = size,
                              .expires = message->expires,
                              .binary = message->binary,
                              .stays = message->stays};
    if (size > 0)
        memcpy(record->payload, message->data, size);
    position.block->end += length;
    position.block->live++;
    position.block->bytes += size;
    if (!queue->next.block)
        queue->next = position;
    queue->waiting_bytes += size;
    queue->waiting_messages++;
    return true;
}

void steady_queue_prepend(struct steady_queue *queue, struct steady_queue *front)
{
    if (front->waiting_messages == 0) {
        steady_queue_clear(front);
        return;
    }
    if (queue->waiting_messages == 0) {
        steady_queue_clear(queue);
    } else {
        front->last->next = queue->first;
        queue->first->previous = front->last;
        front->last = queue->last;
        front->waiting_bytes += queue->waiting_bytes;
        front->waiting_messages += queue->waiting_messages;
    }
    struct steady_queue_pool *pool = queue->pool;
    *queue = *front;
    queue->pool = pool;
    *front = (struct steady_queue){.pool = front->pool};
}

static struct steady_queue_position head_of(const struct steady_queue *queue)
{
    return queue->begun.block ? queue->begun : queue->next;
}

const struct steady_message *steady_queue_peek(struct steady_queue *queue)
{
    struct steady_queue_position position = head_of(queue);
    if (!position.block)
        return NULL;
    const struct record *record = record_at(position);
    queue->head = (struct steady_message){.data = record->payload,
                                          .size = record->size,
                                          .expires = record->expires,
                                          .binary = record->binary,
                                          .stays = record->stays};
    return &queue->head;
}

void steady_queue_begin(struct steady_queue *queue)
{
    if (queue->begun.block || !queue->next.block)
        return;
    queue->begun = queue->next;
    queue->next = behind(queue->next);
}

void steady_queue_sent(struct steady_queue *queue, bool keep)
{
    struct steady_queue_position head = head_of(queue);
    if (!head.block)
        return;
    if (queue->begun.block)
        queue->begun.block = NULL;
    else
        queue->next = behind(head);
    size_t size = record_at(head)->size;
    queue->waiting_bytes -= size;
    queue->waiting_messages--;
    if (keep) {
        if (queue->sent_messages == 0)
            queue->oldest = head;
        queue->sent_bytes += size;
        queue->sent_messages++;
    } else {
        release(queue, head);
    }
}

/* Only the first message of a connect() stays, so this loop is short. */
static struct steady_queue_position droppable(const struct steady_queue *queue)
{
    struct steady_queue_position position = queue->next;
    while (position.block && record_at(position)->stays)
        position = behind(position);
    return position;
}

static void drop(struct steady_queue *queue, struct steady_queue_position dropped)
{
    if (dropped.block == queue->next.block && dropped.offset == queue->next.offset)
        queue->next = behind(dropped);
    queue->waiting_bytes -= record_at(dropped)->size;
    queue->waiting_messages--;
    release(queue, dropped);
}

bool steady_queue_drop(struct steady_queue *queue)
{
    struct steady_queue_position position = droppable(queue);
    if (position.block)
        drop(queue, position);
    return position.block != NULL;
}

size_t steady_queue_fixed(const struct steady_queue *queue, size_t *bytes)
{
    struct steady_queue_position position = queue->next;
    size_t count = queue->begun.block != NULL;
    *bytes = count ? record_at(queue->begun)->size : 0;
    for (; position.block && record_at(position)->stays; position = behind(position), count++)
        *bytes += record_at(position)->size;
    return count;
}

double steady_queue_expiry(const struct steady_queue *queue)
{
    struct steady_queue_position position = droppable(queue);
    return position.block ? record_at(position)->expires : INFINITY;
}

size_t steady_queue_discard(struct steady_queue *queue)
{
    size_t count = 0;
    for (; queue->next.block; count++)
        drop(queue, queue->next);
    return count;
}

/* Frees the block of the oldest message that was sent and kept as a whole, when all messages in the
 * block are confirmed. Visiting each message would be slow, since they are no longer in the
 * processor's cache. Returns whether it has freed the block. */
static bool confirm_block(struct steady_queue *queue, size_t count)
{
    struct steady_queue_block *block = queue->oldest.block;
    if (block->live > count || block == queue->next.block || block == queue->begun.block)
        return false;
    queue->sent_bytes -= block->bytes;
    queue->sent_messages -= block->live;
    queue->oldest = seek((struct steady_queue_position){block->next, 0});
    remove_block(queue, block);
    return true;
}

static void confirm_one(struct steady_queue *queue)
{
    struct steady_queue_position arrived = queue->oldest;
    queue->oldest = behind(arrived);
    queue->sent_bytes -= record_at(arrived)->size;
    queue->sent_messages--;
    release(queue, arrived);
}

void steady_queue_confirm(struct steady_queue *queue, size_t count)
{
    while (count > 0 && queue->sent_messages > 0) {
        size_t before = queue->sent_messages;
        if (!confirm_block(queue, count))
            confirm_one(queue);
        count -= before - queue->sent_messages;
    }
}

void steady_queue_rewind(struct steady_queue *queue)
{
    queue->next = queue->sent_messages > 0 ? queue->oldest : head_of(queue);
    queue->begun.block = NULL;
    queue->waiting_bytes += queue->sent_bytes;
    queue->waiting_messages += queue->sent_messages;
    queue->sent_bytes = queue->sent_messages = 0;
}

size_t steady_queue_clear(struct steady_queue *queue)
{
    size_t messages = queue->waiting_messages + queue->sent_messages;
    while (queue->first)
        remove_block(queue, queue->first);
    *queue = (struct steady_queue){.pool = queue->pool};
    return messages;
}
