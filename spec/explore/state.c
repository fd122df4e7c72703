/* What a state is known by. Times are what is left until then. */
#include "explore.h"

#include <math.h>
#include <stdlib.h>

/* Seconds, more than min_uptime: what was open for longer has lasted. */
#define LASTED 4

static uint64_t mix_time(uint64_t number, double time)
{
    return mix(number, isinf(time) ? UINT64_MAX : (uint64_t)llround((time - world.clock) * 100));
}

static uint64_t mix_queue(uint64_t number, const struct steady_queue *queue)
{
    number = mix(mix(number, queue->waiting_messages), queue->waiting_bytes);
    number = mix(mix(number, queue->sent_messages), queue->sent_bytes);
    return mix(number, queue->begun.block != NULL);
}

static uint64_t mix_protocol(uint64_t number, const struct steady_protocol *protocol)
{
    number = mix(mix(number, steady_protocol_pending(protocol)), protocol->payload_left);
    number = mix(mix(number, protocol->header_size), protocol->message_opcode);
    number = mix(mix(number, protocol->message.size), protocol->held.size);
    number = mix(mix(number, protocol->control_frames.size), protocol->message_sent);
    number = mix(mix(number, protocol->in_payload), protocol->closing);
    return mix(mix(number, protocol->close_received), protocol->failed);
}

static uint64_t mix_link(uint64_t number, const struct steady_link *link)
{
    number = mix(number, link->state);
    if (link->state == STEADY_LINK_NONE)
        return number;
    number = mix(mix(number, link->by_us), link->stream != NULL);
    number = mix(mix(number, link->code), link->failure);
    number = mix_time(number, fmax(link->opened_at, world.clock - LASTED));
    number = mix_time(number, link->state == STEADY_LINK_LINGERING ? link->linger : INFINITY);
    if (world.client.options.heartbeat.on || world.client.options.confirm) {
        number = mix_time(number, link->heartbeat.heard);
        number = mix_time(number, link->heartbeat.asked > 0 ? link->heartbeat.asked : INFINITY);
        number = mix(mix(number, link->heartbeat.covers), link->heartbeat.program_pinged);
        number = mix(number, link->heartbeat.number - link->heartbeat.covering);
        number = mix_time(number, steady_heartbeat_repetition(&link->heartbeat));
        number = mix_time(number, world.clock - link->heartbeat.wait);
        number = mix_time(number, world.client.options.heartbeat.message ? link->heartbeat.texted
                                                                         : INFINITY);
    }
    return mix_protocol(number, &link->protocol);
}

/* After some attempts without success the delay does not grow any more. */
static uint64_t mix_session(uint64_t number, const struct steady_session *session)
{
    number = mix(mix(number, session->status), session->attempt < 4 ? session->attempt : 4);
    return mix_time(number, session->deadline);
}

uint64_t state_number(void)
{
    const struct steady_client *c = &world.client;
    uint64_t number = mix((uint64_t)(world.way - ways), world.gone);
    if (world.gone)
        return number;
    number = mix_session(number, &c->session);
    number = mix_time(number, c->armed);
    number = mix(number, (uint64_t)llround((world.loop.absence.seconds - c->absent) * 100));
    number = mix_time(number, world.loop.absence.polled_until);
    number = mix(mix(number, c->alive), c->paused);
    number = mix(mix(number, (uint64_t)(c->over_high_water | c->refused << 1)), c->was_open);
    number = mix(mix(number, c->user_closed), c->ready.next != NULL);
    number = mix(mix(number, c->attempt.state), c->attempt.upgrade != NULL);
    number = mix(number, world.crowded);
    number = mix_queue(mix_queue(mix_queue(number, &c->queue), &c->greetings), &c->inbox);
    number = mix_link(events_number(number), &c->link);
    number = stream_number(peer_number(wire_number(number)));
    return messages_number(judge_number(number));
}

/* ------------------------------------------------------------------------- states explored */

static struct {
    uint64_t number;
    int events; /* that were to follow, and one; 0: the place is empty */
} * table;
static unsigned long size, count;

static enum novelty put(uint64_t number, int events)
{
    unsigned long at = (unsigned long)(number % size);
    while (table[at].events && table[at].number != number)
        at = (at + 1) % size;
    if (table[at].events >= events)
        return STATE_KNOWN;
    bool new = !table[at].events;
    count += new;
    table[at].number = number;
    table[at].events = events;
    return new ? STATE_NEW : STATE_DEEPER;
}

static void grow(void)
{
    __typeof__(table) old = table;
    unsigned long old_size = size;
    size = size ? 2 * size : 1 << 16;
    table = calloc(size, sizeof *table);
    if (!table)
        abort();
    count = 0;
    for (unsigned long i = 0; i < old_size; i++)
        if (old[i].events)
            put(old[i].number, old[i].events);
    free(old);
}

enum novelty state_note(uint64_t number, int events)
{
    if (2 * count >= size)
        grow();
    return put(number, events + 1);
}

unsigned long state_count(void)
{
    return count;
}
