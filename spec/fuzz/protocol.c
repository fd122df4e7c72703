/* What a hostile server sends behind the upgrade, in any cut, with compression or without: what is
 * handed out keeps to the rules, and what is to be sent are whole, masked, legal frames. */
#include "core/protocol.h"
#include "fuzz.h"

#define CAPACITY 4096

static void refill(void *context, uint8_t *bytes, size_t size)
{
    uint8_t *counter = context;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(*counter)++;
}

struct peer {
    struct steady_protocol protocol;
    struct steady_queue queue;
    size_t max;
    bool over; /* a close or a failure has been told */
};

static void check_event(struct peer *peer, enum steady_protocol_event_type type,
                        const struct steady_protocol_event *event)
{
    CHECK(!peer->over);
    switch (type) {
    case STEADY_PROTOCOL_MESSAGE:
        CHECK(event->size <= peer->max);
        CHECK(event->binary || steady_utf8_valid(event->data, event->size));
        break;
    case STEADY_PROTOCOL_PING:
    case STEADY_PROTOCOL_PONG:
        CHECK(event->size <= STEADY_CONTROL_MAX);
        break;
    case STEADY_PROTOCOL_CLOSE:
        CHECK(event->code >= 1000 && event->code < 5000 && event->code != 1006);
        CHECK(event->size <= STEADY_CONTROL_MAX - 2);
        CHECK(steady_utf8_valid(event->data, event->size));
        peer->over = true;
        break;
    default:
        CHECK(event->code == 1002 || event->code == 1007 || event->code == 1009);
        CHECK(event->data && *event->data);
        peer->over = true;
    }
}

static void pull(struct peer *peer)
{
    struct steady_protocol_event event;
    enum steady_protocol_event_type type;
    while ((type = steady_protocol_next(&peer->protocol, &event)) != STEADY_PROTOCOL_NONE)
        check_event(peer, type, &event);
    CHECK(!steady_protocol_pending(&peer->protocol));
}

/* Control frames only are sent here, and each call hands them out whole. */
static void check_output(struct peer *peer)
{
    uint8_t out[CAPACITY];
    size_t size;
    while (
        (size = steady_protocol_output(&peer->protocol, &peer->queue, false, 0, out, CAPACITY))) {
        CHECK(size <= CAPACITY);
        for (size_t at = 0; at < size;) {
            CHECK(size - at >= 6);
            uint8_t first = out[at], length = out[at + 1] & 0x7F;
            CHECK(first == (STEADY_FRAME_FIN | STEADY_OPCODE_PONG) ||
                  first == (STEADY_FRAME_FIN | STEADY_OPCODE_CLOSE));
            CHECK(out[at + 1] & STEADY_FRAME_MASKED && length <= STEADY_CONTROL_MAX);
            at += 6 + (size_t)length;
            CHECK(at <= size);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {125, 1000, 70000, 1 << 20};
    struct input input = {data, data + size};
    uint8_t counter = 0, flags = input_byte(&input);
    size_t step = input_number(&input) % 600 + 1;
    struct steady_random random = {.refill = refill, .context = &counter};
    struct peer peer = {.max = limits[flags & 3]};
    steady_protocol_init(&peer.protocol, &random, peer.max);
    if (flags & 4) {
        struct steady_deflate_side side = {(uint8_t)(9 + (flags >> 4) % 7), flags & 8};
        struct steady_deflate_parameters parameters = {
            .on = true, .client = side, .server = side, .level = 6};
        steady_protocol_deflate(&peer.protocol, &parameters);
    }
    while (input_left(&input)) {
        size_t piece_size;
        uint8_t *piece = input_copy(&input, step, &piece_size);
        steady_protocol_input(&peer.protocol, piece, piece_size);
        if (flags & 0x80) { /* read later, from memory of the protocol's own */
            CHECK(steady_protocol_hold(&peer.protocol));
            memset(piece, 0xAA, piece_size);
        }
        pull(&peer);
        free(piece);
        check_output(&peer);
    }
    CHECK(steady_protocol_backlog(&peer.protocol) == 0);
    steady_protocol_free(&peer.protocol);
    steady_queue_clear(&peer.queue);
    return 0;
}
