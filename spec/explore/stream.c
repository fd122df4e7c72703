/* The stream: takes what is written wholly, in part, or not at all any more, and hands over what
 * the peer sends. As the real one does, it reads into memory that all streams of a loop share. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#define SHARED 80000 /* bytes */
#define OTHERS 256   /* bytes of it that another client overwrites */

struct steady_stream {
    struct steady_ready ready; /* the first member */
    const struct steady_stream_owner *calls;
    void *owner;
    bool paused, blocked, broken, ended, wanted;
};

static uint8_t shared[SHARED], room[STEADY_WRITE_SIZE];

/* ------------------------------------------------------------------------- what happens */

bool stream_can_come(void)
{
    const struct steady_stream *s = world.stream;
    return s && !s->paused && !s->ended;
}

/* From a broken stream that may not be read nothing comes any more. */
bool stream_can_end(void)
{
    const struct steady_stream *s = world.stream;
    return s && !s->ended && (!s->paused || s->broken);
}

bool stream_is_blocked(void)
{
    const struct steady_stream *s = world.stream;
    return s && s->blocked && !s->broken && !s->ended;
}

/* Where the shared memory is not this peer's bytes, it is a message of another client's peer. The
 * frames of peer.c have its size, so that it can be taken for one of them. */
static void fill(size_t from, size_t to)
{
    static const uint8_t other[7] = {0x81, 5, 'x', '9', '9', '9', '9'};
    for (size_t i = from; i < to; i++)
        shared[i] = other[i % sizeof other];
}

const uint8_t *stream_reads(const uint8_t *bytes, size_t size)
{
    if (size)
        memcpy(shared, bytes, size);
    fill(size, size + 64);
    return shared;
}

void stream_comes(const uint8_t *bytes, size_t size)
{
    if (!stream_can_come())
        return;
    world.stream->calls->received(world.stream->owner, stream_reads(bytes, size), size);
    fill(0, size < OTHERS ? size : OTHERS);
}

void stream_ends(void)
{
    struct steady_stream *s = world.stream;
    if (!stream_can_end())
        return;
    s->ended = true;
    s->calls->ended(s->owner);
}

void stream_takes(void)
{
    struct steady_stream *s = world.stream;
    if (!stream_is_blocked())
        return;
    s->blocked = false;
    wire_take();
    s->calls->writable(s->owner);
}

static void turn(struct steady_ready *ready)
{
    struct steady_stream *s = (struct steady_stream *)ready; /* its first member */
    if (!s->wanted || !steady_stream_can_write(s))
        return;
    s->wanted = false;
    s->calls->writable(s->owner);
}

/* ------------------------------------------------------------------------- for the client */

struct steady_stream *stream_new(void)
{
    struct steady_stream *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    if (world.stream)
        judge_fail("a client has two connections");
    s->ready.run = turn;
    world.stream = s;
    wire_begin();
    return s;
}

void steady_stream_give(struct steady_stream *s, const struct steady_stream_owner *calls,
                        void *given)
{
    s->calls = calls;
    s->owner = given;
}

/* These streams have no TLS that could fail. */
void steady_stream_explain(const struct steady_stream *s, struct steady_cause *cause)
{
    (void)s;
    (void)cause;
}

void steady_stream_free(struct steady_stream *s)
{
    if (!s)
        return;
    if (s != world.stream)
        judge_fail("a stream is freed twice");
    judge_stream_freed(!s->ended && !s->broken);
    steady_ready_remove(&s->ready);
    world.stream = NULL;
    free(s);
}

uint8_t *steady_stream_room(const struct steady_stream *s)
{
    (void)s;
    return room;
}

bool steady_stream_can_write(const struct steady_stream *s)
{
    return !s->broken && !s->ended && !s->blocked;
}

bool steady_stream_write(struct steady_stream *s, size_t size)
{
    enum { WHOLE, PART, BROKEN };
    struct menu menu = {0};
    if (!steady_stream_can_write(s))
        judge_fail("a write to a stream that cannot take it");
    if (!size || size > sizeof room)
        judge_fail("a write of %zu bytes", size);
    menu_add(&menu, true, WHOLE, NULL);
    menu_add(&menu, true, PART, "        a write is taken in part");
    menu_add(&menu, true, BROKEN, "        a write fails");
    int taken = menu_choose_inside(&menu);
    s->blocked = taken == PART;
    s->broken = taken == BROKEN;
    wire_hand_over(room, size, taken == WHOLE ? size : taken == PART ? size / 2 : 0);
    return !s->broken;
}

size_t steady_stream_buffered(const struct steady_stream *s)
{
    return s->blocked ? 1 : 0;
}

void steady_stream_want_writable(struct steady_stream *s)
{
    s->wanted = true;
    steady_ready_add(&world.loop, &s->ready);
}

void steady_stream_pause(struct steady_stream *s, bool pause)
{
    s->paused = pause;
}

uint64_t stream_number(uint64_t number)
{
    const struct steady_stream *s = world.stream;
    if (!s)
        return mix(number, 99);
    return mix(number, (uint64_t)(s->paused | s->blocked << 1 | s->broken << 2 | s->ended << 3 |
                                  s->wanted << 4 | (s->ready.next != NULL) << 5));
}
