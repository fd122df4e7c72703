/* The sender against the receiver: what a queue's messages become on the wire, unmasked and cut
 * anywhere, arrives as the same messages, with compression or without. */
#include "core/protocol.h"
#include "fuzz.h"

#include <math.h>

#define MESSAGES 32
#define OUTPUT   (1 << 16)

static void refill(void *context, uint8_t *bytes, size_t size)
{
    uint32_t *state = context;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((*state = *state * 1664525 + 1013904223) >> 24);
}

struct sent {
    uint8_t *data;
    size_t size;
    bool binary;
};

struct test {
    struct steady_protocol sender, receiver;
    struct steady_queue queue;
    struct sent sent[MESSAGES];
    size_t count, arrived;
};

static void arrive(struct test *test)
{
    struct steady_protocol_event event;
    enum steady_protocol_event_type type;
    while ((type = steady_protocol_next(&test->receiver, &event)) != STEADY_PROTOCOL_NONE) {
        CHECK(type == STEADY_PROTOCOL_MESSAGE && test->arrived < test->count);
        const struct sent *sent = &test->sent[test->arrived++];
        CHECK(event.size == sent->size && event.binary == sent->binary);
        CHECK(!event.size || !memcmp(event.data, sent->data, event.size));
    }
}

/* The frames of the sender, who is a client, as a server would have sent them. Returns their new
 * size, and in *rest the bytes of a frame that is not whole. */
static size_t unmask(uint8_t *bytes, size_t size, size_t *rest)
{
    size_t to = 0, from = 0;
    while (size - from >= 2) {
        uint8_t length = bytes[from + 1] & 0x7F;
        size_t extra = length == STEADY_FRAME_LENGTH_16   ? 2
                       : length == STEADY_FRAME_LENGTH_64 ? 8
                                                          : 0;
        uint64_t payload = 0;
        if (size - from < 2 + extra + 4)
            break;
        for (size_t i = 0; i < extra; i++)
            payload = payload << 8 | bytes[from + 2 + i];
        if (!extra)
            payload = length;
        if (size - from < 2 + extra + 4 + payload)
            break;
        CHECK(bytes[from + 1] & STEADY_FRAME_MASKED);
        uint8_t key[4];
        memcpy(key, bytes + from + 2 + extra, 4);
        memmove(bytes + to, bytes + from, 2 + extra);
        bytes[to + 1] &= 0x7F;
        for (uint64_t i = 0; i < payload; i++)
            bytes[to + 2 + extra + i] = bytes[from + 6 + extra + i] ^ key[i % 4];
        to += 2 + extra + payload;
        from += 6 + extra + payload;
    }
    *rest = size - from;
    memmove(bytes + to, bytes + from, *rest);
    return to;
}

static void carry(struct test *test, size_t capacity, size_t step)
{
    static uint8_t wire[1 << 20];
    size_t held = 0, size;
    while ((size = steady_protocol_output(&test->sender, &test->queue, false, 0, wire + held,
                                          capacity))) {
        size_t rest, ready = unmask(wire, held + size, &rest);
        for (size_t at = 0; at < ready; at += step) {
            struct input input = {wire + at, wire + ready};
            size_t piece_size;
            uint8_t *piece = input_copy(&input, step, &piece_size);
            steady_protocol_input(&test->receiver, piece, piece_size);
            arrive(test);
            free(piece);
        }
        memmove(wire, wire + ready, rest);
        held = rest;
        CHECK(held + capacity <= sizeof wire);
    }
    CHECK(!held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint32_t state = 1;
    uint8_t flags = input_byte(&input);
    size_t capacity = 256 + input_number(&input) % (OUTPUT - 256);
    size_t step = input_number(&input) % 5000 + 1;
    struct steady_random random = {.refill = refill, .context = &state};
    struct test *test = calloc(1, sizeof *test);
    CHECK(test);
    steady_protocol_init(&test->sender, &random, 1 << 20);
    steady_protocol_init(&test->receiver, &random, 1 << 20);
    if (flags & 1) {
        struct steady_deflate_side side = {(uint8_t)(8 + (flags >> 2) % 8), flags & 2};
        struct steady_deflate_parameters parameters = {
            .on = true, .client = side, .server = side, .threshold = 16, .level = 1 + (flags >> 5)};
        steady_protocol_deflate(&test->sender, &parameters);
        steady_protocol_deflate(&test->receiver, &parameters);
    }
    while (input_left(&input) && test->count < MESSAGES) {
        struct sent *sent = &test->sent[test->count++];
        uint16_t choice = input_number(&input);
        size_t times = choice >> 12 ? (size_t)1 << (choice >> 12) % 8 : 1; /* long ones, too */
        size_t piece_size;
        uint8_t *piece = input_copy(&input, choice & 0xFFF, &piece_size);
        sent->data = malloc(piece_size * times + 1);
        CHECK(sent->data);
        for (size_t i = 0; i < times; i++)
            memcpy(sent->data + i * piece_size, piece, piece_size);
        sent->size = piece_size * times;
        sent->binary = !steady_utf8_valid(sent->data, sent->size);
        free(piece);
        CHECK(steady_queue_push(&test->queue, &(struct steady_message){.data = sent->data,
                                                                       .size = sent->size,
                                                                       .binary = sent->binary,
                                                                       .expires = INFINITY}));
    }
    carry(test, capacity, step);
    CHECK(test->arrived == test->count && test->queue.waiting_messages == 0);
    for (size_t i = 0; i < test->count; i++)
        free(test->sent[i].data);
    steady_protocol_free(&test->sender);
    steady_protocol_free(&test->receiver);
    steady_queue_clear(&test->queue);
    free(test);
    return 0;
}
