/* The peer: what it says, frame by frame. */
#include "explore.h"

#include "core/frame.h"

#include <stdio.h>
#include <string.h>

#define MANY 600 /* pings, of which each pong has 131 bytes: more than what may wait */
#define HALF 3   /* bytes of the frame that comes in two pieces */

static struct {
    int sent;         /* messages, on this connection */
    bool half, ended; /* a frame is half there; a close frame or a fault was sent */
} peer;

static uint8_t out[MANY * (2 + STEADY_CONTROL_MAX)];
static size_t size;

static void peer_begin(void)
{
    memset(&peer, 0, sizeof peer);
}

static void add(uint8_t opcode, const void *payload, size_t length)
{
    out[size++] = STEADY_FRAME_FIN | opcode;
    out[size++] = (uint8_t)length;
    if (length)
        memcpy(out + size, payload, length);
    size += length;
}

static void add_message(void)
{
    char text[16];
    snprintf(text, sizeof text, "p%04d", peer.sent++ % 10000);
    judge_peer_sent();
    add(STEADY_OPCODE_TEXT, text, 5);
}

static void add_close(void)
{
    static const char code[] = "\x03\xe9"
                               "bye";
    add(STEADY_OPCODE_CLOSE, code, 5);
    peer.ended = true;
    if (wire_has_close())
        wire_close_crosses();
}

static void add_pings(int count)
{
    uint8_t payload[STEADY_CONTROL_MAX] = {0};
    for (int i = 0; i < count; i++)
        add(STEADY_OPCODE_PING, payload, count == 1 ? 0 : sizeof payload);
}

static void add_pong(void)
{
    size_t length;
    const uint8_t *payload = wire_answer(&length);
    if (length)
        add(STEADY_OPCODE_PONG, payload, length);
    else
        add(STEADY_OPCODE_TEXT, "ok", 2);
}

bool peer_has_half(void)
{
    return peer.half;
}

bool peer_has_ended(void)
{
    return peer.ended;
}

bool peer_can(enum peer_word word)
{
    if (!stream_can_come() || peer.ended || (peer.half && word != PEER_HALF))
        return false;
    if (word == PEER_PINGS)
        return world.way->pings;
    return word != PEER_PONG || wire_peer_has_ping();
}

/* Sets out and size. */
static void speak(enum peer_word word)
{
    size = 0;
    switch (word) {
    case PEER_TWO:
        add_message();
        add_message();
        break;
    case PEER_PING:
    case PEER_PINGS:
        add_pings(word == PEER_PING ? 1 : MANY);
        break;
    case PEER_PONG:
        add_pong();
        break;
    case PEER_LAST:
        add_message();
        add_close();
        add(STEADY_OPCODE_TEXT, "late", 4);
        break;
    case PEER_CLOSE:
        add_close();
        break;
    case PEER_BAD:
        add(3, NULL, 0);
        peer.ended = true;
        judge_peer_is_bad();
        break;
    default:
        add_message();
    }
}

static void say_half(void)
{
    static uint8_t rest[16];
    static size_t left;
    peer.half = !peer.half;
    if (!peer.half) {
        stream_comes(rest, left);
        return;
    }
    speak(PEER_MESSAGE);
    left = size - HALF;
    memcpy(rest, out + HALF, left);
    stream_comes(out, HALF);
}

void peer_says(enum peer_word word)
{
    if (!peer_can(word))
        return;
    if (word == PEER_HALF) {
        say_half();
        return;
    }
    speak(word);
    stream_comes(out, size);
}

void peer_accepts(void)
{
    peer_begin();
    judge_connection();
    upgrade_accepts(NULL, 0);
}

/* Two messages come with the answer. */
void peer_accepts_and_says(void)
{
    peer_begin();
    judge_connection();
    if (!world.upgrade)
        return;
    speak(PEER_TWO);
    upgrade_accepts(out, size);
}

uint64_t peer_number(uint64_t number)
{
    return mix(number, (uint64_t)(peer.half | peer.ended << 1));
}
