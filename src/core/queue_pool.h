/* The blocks of memory that queues keep their messages in. */
#ifndef STEADY_CORE_QUEUE_POOL_H
#define STEADY_CORE_QUEUE_POOL_H

#include <stddef.h>

/* Bytes. A queue's block is twice as large as the one before it, up to this. */
#define STEADY_QUEUE_BLOCK_MAX 65536

/* Every block has at least one record that is not gone, so that messages which were dropped behind
 * a kept one do not pile up. The exception is the one small block that an empty queue may keep. */
struct steady_queue_block {
    struct steady_queue_block *previous, *next;
    size_t capacity, end; /* bytes for records: how many there are, and how many are used */
    /* How many records are not marked as gone, and the bytes of their payloads. */
    size_t live, bytes;
    max_align_t records[];
};

/* Keeps blocks that queues no longer need, to use them again. When memory goes back to the system
 * and is allocated anew, page faults cost more than all the rest of sending. A zeroed struct is an
 * empty pool. */
struct steady_queue_pool {
    struct steady_queue_block *first;
    size_t bytes;
};

static inline size_t steady_queue_block_size(const struct steady_queue_block *block)
{
    return sizeof *block + block->capacity;
}

/* Returns a block of at least *size bytes, and sets *size to the bytes that it has, at most twice
 * as many; NULL when memory is out. Small blocks do not come from the pool, since malloc is fast
 * for those. pool: NULL for none. */
struct steady_queue_block *steady_queue_pool_get(struct steady_queue_pool *pool, size_t *size);

/* Gives a block back. */
void steady_queue_pool_put(struct steady_queue_pool *pool, struct steady_queue_block *block);

/* Frees the pool's memory. The pool can be used again. */
void steady_queue_pool_free(struct steady_queue_pool *pool);

#endif
