#include "core/queue.h"

#include <stdlib.h>
#include <string.h>

/* The bytes of the smallest block, with its bookkeeping. An empty queue may keep one such block. */
#define BLOCK_MIN 1024
#define BLOCK_MAX 65536       /* bytes; a block is twice as large as the one before, up to this */
#define POOL_MAX  (16u << 20) /* bytes that a pool keeps: as many as a client queues by default */

/* A message in a block. A message that leaves the queue is only marked as gone. Its memory is freed
 * with the whole block. */
struct record {
    size_t size; /* bytes of payload */
    double expires;
    bool binary, gone;
    uint8_t payload[];
};

/* Every block has at least one record that is not gone, so that messages which were dropped behind
 * a kept one do not pile up. The exception is the one small block that an empty queue may keep. */
struct steady_queue_block {
    struct steady_queue_block *previous, *next;
    size_t capacity, end; /* bytes for records: how many there are, and how many are used */
    /* How many records are not marked as gone, and the bytes of their payloads. */
    size_t live, bytes;
    max_align_t records[];
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

static size_t block_size(const struct steady_queue_block *block)
{
    return sizeof *block + block->capacity;
}

/* Returns a block of at least *size bytes, and sets *size to the bytes that it has, at most twice
 * as many. Small blocks do not come from the pool, since malloc is fast for those. */
static struct steady_queue_block *get_block(struct steady_queue_pool *pool, size_t *size)
{
    struct steady_queue_block *block = pool ? pool->first : NULL;
    if (!block || *size < BLOCK_MAX || block_size(block) < *size || block_size(block) / 2 > *size)
        return malloc(*size);
    *size = block_size(block);
    pool->first = block->next;
    pool->bytes -= *size;
    return block;
}

static void put_block(struct steady_queue_pool *pool, struct steady_queue_block *block)
{
    const size_t size = block_size(block);
    if (!pool || size < BLOCK_MAX || size > POOL_MAX - pool->bytes) {
        free(block);
        return;
    }
    block->next = pool->first;
    pool->first = block;
    pool->bytes += size;
}

void steady_queue_pool_free(struct steady_queue_pool *pool)
{
    while (pool->first) {
        struct steady_queue_block *block = pool->first;
        pool->first = block->next;
        free(block);
    }
    pool->bytes = 0;
}

static void remove_block(struct steady_queue *queue, struct steady_queue_block *block)
{
    *(block->previous ? &block->previous->next : &queue->first) = block->next;
    *(block->next ? &block->next->previous : &queue->last) = block->previous;
    put_block(queue->pool, block);
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
        size = block_size(last) < BLOCK_MAX / 2 ? 2 * block_size(last) : BLOCK_MAX;
    if (size - sizeof *block < record)
        size = sizeof *block + record;
    block = get_block(queue->pool, &size);
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

bool steady_queue_push(struct steady_queue *queue, const uint8_t *data, size_t size, bool binary,
                       double expires)
{
    if (size > SIZE_MAX / 2)
        return false;
    size_t length = record_length(size);
    if (!queue->last || queue->last->capacity - queue->last->end < length)
        if (!add_block(queue, length))
            return false;
    struct steady_queue_position position = {queue->last, queue->last->end};
    struct record *record = record_at(position);
    *record = (struct record){.size = size, .expires = expires, .binary = binary};
    if (size > 0)
        memcpy(record->payload, data, size);
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
    queue->head =
        (struct steady_message){record->payload, record->size, record->binary, record->expires};
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

bool steady_queue_drop(struct steady_queue *queue)
{
    struct steady_queue_position dropped = queue->next;
    if (!dropped.block)
        return false;
    queue->next = behind(dropped);
    queue->waiting_bytes -= record_at(dropped)->size;
    queue->waiting_messages--;
    release(queue, dropped);
    return true;
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
