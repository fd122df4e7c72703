/* The queue under random calls, beside a list that does the same in the plainest way. */
#include "core/queue.h"
#include "fuzz.h"

#include <math.h>

#define MOST 256

struct model {
    uint16_t number[MOST]; /* of each message, oldest first */
    size_t sent, count;    /* sent and kept; all */
    bool begun;
};

static size_t size_of(uint16_t number)
{
    return number % 7 == 0 ? number % 5000 : number % 60;
}

static void model_remove(struct model *model, size_t at, size_t count)
{
    model->count -= count;
    memmove(model->number + at, model->number + at + count,
            (model->count - at) * sizeof *model->number);
}

static void push(struct steady_queue *queue, uint16_t number)
{
    size_t size = size_of(number);
    uint8_t *data = malloc(size + 1);
    CHECK(data);
    memset(data, number & 0xFF, size);
    const struct steady_message message = {
        .data = data, .size = size, .binary = number & 1, .expires = number};
    CHECK(steady_queue_push(queue, &message));
    free(data);
}

static void check_message(const struct steady_message *message, uint16_t number)
{
    CHECK(message->size == size_of(number) && message->binary == (number & 1));
    CHECK(message->expires == number);
    for (size_t i = 0; i < message->size; i++)
        CHECK(message->data[i] == (number & 0xFF));
}

static void check(struct steady_queue *queue, const struct model *model)
{
    size_t waiting = 0, sent = 0;
    for (size_t i = 0; i < model->count; i++)
        *(i < model->sent ? &sent : &waiting) += size_of(model->number[i]);
    CHECK(queue->waiting_messages == model->count - model->sent && queue->waiting_bytes == waiting);
    CHECK(queue->sent_messages == model->sent && queue->sent_bytes == sent);
    const struct steady_message *head = steady_queue_peek(queue);
    CHECK((head != NULL) == (model->count > model->sent));
    if (head)
        check_message(head, model->number[model->sent]);
}

static void add_front(struct steady_queue *queue, struct model *model,
                      struct steady_queue_pool *pool, size_t count, uint16_t number)
{
    struct steady_queue front = {.pool = pool};
    if (model->sent || model->begun || model->count + count > MOST)
        return;
    memmove(model->number + count, model->number, model->count * sizeof *model->number);
    for (size_t i = 0; i < count; i++) {
        model->number[i] = (uint16_t)(number + i);
        push(&front, model->number[i]);
    }
    model->count += count;
    steady_queue_prepend(queue, &front);
    CHECK(front.waiting_messages == 0);
}

static void act(struct steady_queue *queue, struct model *model, struct steady_queue_pool *pool,
                uint8_t what, uint16_t number)
{
    bool waits = model->count > model->sent;
    switch (what % 8) {
    case 0:
    case 1:
        if (model->count == MOST)
            break;
        push(queue, number);
        model->number[model->count++] = number;
        break;
    case 2:
        if (!waits)
            break;
        steady_queue_peek(queue);
        steady_queue_begin(queue);
        model->begun = true;
        break;
    case 3:
        if (!waits)
            break;
        steady_queue_peek(queue);
        steady_queue_sent(queue, number & 1);
        model->begun = false;
        if (number & 1)
            model->sent++;
        else
            model_remove(model, model->sent, 1);
        break;
    case 4: {
        size_t at = model->sent + model->begun;
        CHECK(steady_queue_drop(queue) == (at < model->count));
        if (at < model->count)
            model_remove(model, at, 1);
        break;
    }
    case 5: {
        size_t count = model->sent ? number % (model->sent + 1) : 0;
        steady_queue_confirm(queue, count);
        model_remove(model, 0, count);
        model->sent -= count;
        break;
    }
    case 6:
        steady_queue_rewind(queue);
        model->sent = 0;
        model->begun = false;
        break;
    default:
        add_front(queue, model, pool, number % 4, number);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct steady_queue_pool pool = {0};
    struct steady_queue queue = {.pool = input_byte(&input) & 1 ? &pool : NULL};
    static struct model model;
    memset(&model, 0, sizeof model);
    while (input_left(&input)) {
        uint8_t what = input_byte(&input);
        /* A message that was sent and not kept leaves the queue from behind kept ones only at once.
         */
        act(&queue, &model, queue.pool, what, input_number(&input));
        check(&queue, &model);
    }
    CHECK(steady_queue_clear(&queue) == model.count);
    steady_queue_pool_free(&pool);
    return 0;
}
