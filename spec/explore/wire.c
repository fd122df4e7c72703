/* The bytes that the client gave to its stream, as the peer understands them. What a blocked stream
 * holds has not arrived yet. */
#include "explore.h"

#include "core/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 1024

enum kind { MESSAGE, PING, CLOSE };

struct frame {
    enum kind kind;
    int id;     /* MESSAGE */
    size_t end; /* its last byte's place in the stream, and one */
    uint8_t ping[STEADY_CONTROL_MAX];
    size_t ping_size;
};

static struct {
    size_t handed_over, taken; /* bytes */
    uint8_t held[4096];        /* of a frame that is not whole yet */
    size_t held_size;
    bool closed;
    int count, answered; /* frames; up to where the peer has answered pings */
    struct frame frames[FRAMES_MAX];
} wire;

void wire_begin(void)
{
    wire.handed_over = wire.taken = wire.held_size = 0;
    wire.closed = false;
    wire.count = wire.answered = 0;
    messages_connection();
}

static struct frame *add(enum kind kind)
{
    if (wire.count == FRAMES_MAX)
        judge_fail("more than %d frames on one connection", FRAMES_MAX);
    struct frame *frame = &wire.frames[wire.count++];
    frame->kind = kind;
    frame->end = wire.handed_over;
    return frame;
}

/* Both sides have sent a close frame. Whether the peer's is an answer to ours, and so says that it
 * has read all before that, or has crossed it on the way, the client cannot know: it takes it for
 * an answer. */
void wire_close_crosses(void)
{
    for (int i = 0; i < wire.count; i++)
        if (wire.frames[i].kind == MESSAGE)
            messages_proven(wire.frames[i].id);
}

static void read_frame(uint8_t opcode, const uint8_t *payload, size_t size)
{
    if (opcode == STEADY_OPCODE_PONG) /* legal behind a close frame, too: RFC 6455 section 5.5.2 */
        return;
    if (wire.closed)
        judge_fail("a frame goes out behind the close frame");
    if (opcode == STEADY_OPCODE_PING) {
        struct frame *ping = add(PING);
        memcpy(ping->ping, payload, size);
        ping->ping_size = size;
    } else if (opcode == STEADY_OPCODE_CLOSE) {
        wire.closed = true;
        add(CLOSE);
        if (peer_has_ended())
            wire_close_crosses();
    } else if (opcode == STEADY_OPCODE_TEXT && payload[0] == 'm') {
        char digits[5] = {0};
        memcpy(digits, payload + 1, 4);
        int id = atoi(digits);
        add(MESSAGE)->id = id;
        messages_written(id);
    } else if (opcode == STEADY_OPCODE_TEXT) { /* a heartbeat of text */
        struct frame *ping = add(PING);
        memcpy(ping->ping, "ok", 2);
        ping->ping_size = 0;
    } else {
        judge_fail("a frame with the opcode %d goes out", opcode);
    }
}

/* The size of the frame at the beginning of what is held; 0: it is not whole. */
static size_t take_frame(uint8_t *bytes, size_t size)
{
    size_t header = 2, length;
    if (size < 2)
        return 0;
    length = bytes[1] & 127;
    if (length == STEADY_FRAME_LENGTH_16) {
        header = 4;
        if (size < 4)
            return 0;
        length = (size_t)bytes[2] << 8 | bytes[3];
    }
    if (size < header + 4 + length)
        return 0;
    uint8_t *key = bytes + header, *payload = key + 4;
    for (size_t i = 0; i < length; i++)
        payload[i] ^= key[i % 4];
    wire.handed_over += header + 4 + length;
    read_frame(bytes[0] & STEADY_FRAME_OPCODE, payload, length);
    return header + 4 + length;
}

void wire_hand_over(const uint8_t *bytes, size_t size, size_t taken)
{
    size_t before = wire.handed_over + wire.held_size, used, at = 0;
    if (wire.held_size + size > sizeof wire.held)
        judge_fail("a frame of more than %zu bytes goes out", sizeof wire.held);
    memcpy(wire.held + wire.held_size, bytes, size);
    wire.held_size += size;
    while ((used = take_frame(wire.held + at, wire.held_size - at)))
        at += used;
    wire.held_size -= at;
    memmove(wire.held, wire.held + at, wire.held_size);
    wire.taken = before + taken;
}

void wire_take(void)
{
    wire.taken = wire.handed_over + wire.held_size;
}

static bool is_there(const struct frame *frame)
{
    return frame->end <= wire.taken;
}

bool wire_peer_has_close(void)
{
    return wire.closed && is_there(&wire.frames[wire.count - 1]); /* nothing is behind it */
}

bool wire_has_close(void)
{
    return wire.closed;
}

/* The number of the last ping that the peer has got, and has not answered yet; -1: there is none.
 */
static int last_ping(void)
{
    for (int i = wire.count - 1; i >= wire.answered; i--)
        if (wire.frames[i].kind == PING && is_there(&wire.frames[i]))
            return i;
    return -1;
}

bool wire_peer_has_ping(void)
{
    return last_ping() >= 0;
}

const uint8_t *wire_answer(size_t *size)
{
    int ping = last_ping();
    *size = wire.frames[ping].ping_size;
    wire.answered = ping + 1;
    for (int i = 0; i < ping; i++)
        if (wire.frames[i].kind == MESSAGE)
            messages_proven(wire.frames[i].id);
    return wire.frames[ping].ping;
}

uint64_t wire_number(uint64_t number)
{
    number = mix(number, wire.handed_over + wire.held_size - wire.taken);
    number = mix(number, wire.held_size);
    number = mix(number, wire.closed);
    int ping = last_ping();
    for (int i = wire.answered; i < wire.count; i++)
        number = mix(number, (uint64_t)wire.frames[i].kind << 1 | is_there(&wire.frames[i]));
    return mix(number, (uint64_t)(ping + 1 ? ping + 1 - wire.answered : 0));
}
