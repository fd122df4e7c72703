#include "core/queue_pool.h"

#include <stdlib.h>

#define POOL_MAX (16u << 20) /* bytes that a pool keeps: as many as a client queues by default */

struct steady_queue_block *steady_queue_pool_get(struct steady_queue_pool *pool, size_t *size)
{
    struct steady_queue_block *block = pool ? pool->first : NULL;
    if (!block || *size < STEADY_QUEUE_BLOCK_MAX || steady_queue_block_size(block) < *size ||
        steady_queue_block_size(block) / 2 > *size)
        return malloc(*size);
    *size = steady_queue_block_size(block);
    pool->first = block->next;
    pool->bytes -= *size;
    return block;
}

void steady_queue_pool_put(struct steady_queue_pool *pool, struct steady_queue_block *block)
{
    const size_t size = steady_queue_block_size(block);
    if (!pool || size < STEADY_QUEUE_BLOCK_MAX || size > POOL_MAX - pool->bytes) {
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
