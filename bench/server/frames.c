#include "frames.h"

#include "counters.h"
#include "deflate.h"
#include "frame.h"
#include "services.h"

#include <string.h>

struct frame {
    uint8_t first; /* FIN, reserved bits and opcode */
    uint8_t key[4];
    size_t header;
    uint64_t size;
};

/* False while the header is not whole. */
static bool read_header(const uint8_t *bytes, size_t held, struct frame *frame)
{
    if (held < 2)
        return false;
    unsigned length = bytes[1] & 0x7f, extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    frame->header = 2 + extra + 4;
    if (held < frame->header)
        return false;
    frame->first = bytes[0];
    frame->size = extra ? 0 : length;
    for (unsigned i = 0; i < extra; i++)
        frame->size = frame->size << 8 | bytes[2 + i];
    memcpy(frame->key, bytes + 2 + extra, 4);
    return true;
}

static void unmask(uint8_t *bytes, uint64_t size, const uint8_t key[4])
{
    uint32_t half;
    memcpy(&half, key, 4);
    const uint64_t whole = (uint64_t)half << 32 | half;
    uint64_t i = 0, word;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, bytes + i, 8);
        word ^= whole;
        memcpy(bytes + i, &word, 8);
    }
    for (; i < size; i++)
        bytes[i] ^= key[i % 4];
}

static void control(struct connection *c, const struct frame *frame, uint8_t *payload)
{
    const uint8_t opcode = frame->first & 0x0f;
    if (opcode != PONG && frame->size <= 125)
        frame_send(c, FIN | (opcode == PING ? PONG : CLOSE), payload, (size_t)frame->size);
    if (opcode == CLOSE)
        connection_drop(c);
}

static void message_ends(struct connection *c)
{
    uint64_t size = c->message_size;
    c->message_size = 0;
    counters.messages++;
    service_message(c, size);
}

/* A frame that has come whole; payload NULL when it was not looked at. */
static void data(struct connection *c, uint8_t first, uint8_t *payload, uint64_t size)
{
    const bool last = first & FIN;
    if (first & 0x0f)
        c->message_deflated = first & RSV1;
    if (c->service == ECHO) {
        service_echo(c, first, payload, size);
        return;
    }
    c->message_size +=
        c->message_deflated ? deflate_inflated(c, payload, (size_t)size, last) : size;
    if (last)
        message_ends(c);
}

/* Most of what a sink gets: short messages, each in one frame. */
static void take_short(struct connection *c)
{
    const uint8_t *bytes = c->in.bytes;
    size_t begin = c->in.begin, end = c->in.end;
    uint64_t messages = 0, wrong = 0;
    while (end - begin >= 2 && bytes[begin] == (FIN | TEXT) &&
           c->messages + messages + 1 < c->count) {
        size_t size = bytes[begin + 1] - 0x80u;
        if (size >= 126 || end - begin < size + 6)
            break;
        messages++;
        wrong += size != c->size;
        begin += size + 6;
    }
    c->messages += messages;
    c->wrong += wrong;
    counters.messages += messages;
    c->in.begin = begin;
}

/* What has come of a payload that is not looked at; false while there is more to come. */
static bool skipped(struct connection *c)
{
    const size_t held = c->in.end - c->in.begin, part = c->skip < held ? (size_t)c->skip : held;
    c->in.begin += part;
    c->skip -= part;
    if (c->skip > 0)
        return false;
    c->skipping = false;
    data(c, c->first, NULL, c->payload_size);
    return true;
}

/* A frame whose payload is looked at; false while it is not whole. */
static bool taken(struct connection *c, const struct frame *frame)
{
    const size_t size = frame->header + (size_t)frame->size;
    if (c->in.end - c->in.begin < size) {
        buffer_reserve(&c->in, size);
        return false;
    }
    uint8_t *payload = c->in.bytes + c->in.begin + frame->header;
    c->in.begin += size;
    unmask(payload, frame->size, frame->key);
    if (frame->first & CONTROL)
        control(c, frame, payload);
    else
        data(c, frame->first, payload, frame->size);
    return true;
}

void frames_take(struct connection *c)
{
    struct frame frame;
    while (!c->dead) {
        if (c->skipping) {
            if (!skipped(c))
                return;
            continue;
        }
        if (c->service == SINK && !c->deflate)
            take_short(c);
        const uint8_t *bytes = c->in.bytes + c->in.begin;
        if (!read_header(bytes, c->in.end - c->in.begin, &frame))
            return;
        if (!(bytes[1] & 0x80)) { /* clients mask */
            connection_drop(c);
        } else if (frame.first & CONTROL || service_needs_payload(c)) {
            if (!taken(c, &frame))
                return;
        } else {
            c->in.begin += frame.header;
            c->skipping = true;
            c->first = frame.first;
            c->skip = c->payload_size = frame.size;
        }
    }
}
