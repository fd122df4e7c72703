/* The messages that the client accepted, each known by its number: the order in which they have to
 * go out, and what became of them. */
#include "explore.h"

#include <string.h>

#define MESSAGES_MAX 64

static struct {
    int count, written, confirmed; /* ever; written: each time */
    struct {
        bool greeting;  /* sent in on_open, so it belongs to one connection */
        bool gone;      /* that connection has ended */
        bool here;      /* written on this connection */
        bool written;   /* on any */
        bool proven;    /* the peer of this connection has said that it has read it */
        bool confirmed; /* to the user */
    } known[MESSAGES_MAX];
    int order[MESSAGES_MAX]; /* numbers */
    int last;                /* place in `order` of what this connection got last; -1: nothing */
    int front;               /* place in `order` where the next message of a greeting goes */
} messages;

void messages_begin(void)
{
    memset(&messages, 0, sizeof messages);
    messages.last = -1;
}

int messages_next(void)
{
    return messages.count;
}

static bool is_done(int id)
{
    if (messages.known[id].greeting)
        return messages.known[id].written || messages.known[id].gone;
    return world.client.options.confirm ? messages.known[id].confirmed : messages.known[id].written;
}

static void insert(int place, int id)
{
    if (messages.count == MESSAGES_MAX)
        judge_fail("more than %d messages", MESSAGES_MAX);
    memmove(messages.order + place + 1, messages.order + place,
            (size_t)(messages.count - place) * sizeof *messages.order);
    messages.order[place] = id;
    messages.count++;
}

void messages_accepted(int id)
{
    insert(messages.count, id);
}

/* It was refused, and it is the last one. */
void messages_refused(int id)
{
    int place = 0;
    while (messages.order[place] != id)
        place++;
    messages.count--;
    memset(&messages.known[id], 0, sizeof messages.known[id]);
    memmove(messages.order + place, messages.order + place + 1,
            (size_t)(messages.count - place) * sizeof *messages.order);
    messages.front -= place < messages.front;
}

static int first_waiting(void)
{
    int place = 0;
    while (place < messages.count && is_done(messages.order[place]))
        place++;
    return place;
}

void messages_accepted_first(int id)
{
    insert(first_waiting(), id);
}

void messages_greeting(void)
{
    messages.front = first_waiting();
}

void messages_accepted_in_greeting(int id)
{
    insert(messages.front++, id);
    messages.known[id].greeting = true;
}

void messages_connection(void)
{
    messages.last = -1;
    for (int i = 0; i < messages.count; i++)
        messages.known[i].here = messages.known[i].proven = false;
    for (int i = 0; i < messages.count; i++)
        messages.known[i].gone = messages.known[i].greeting;
}

static int place_of(int id)
{
    for (int place = 0; place < messages.count; place++)
        if (messages.order[place] == id)
            return place;
    judge_fail("a message goes out that was never accepted: %d", id);
}

void messages_written(int id)
{
    int place = place_of(id);
    if (messages.known[id].here)
        judge_fail("message %d goes out twice on one connection", id);
    if (is_done(id))
        judge_fail("message %d goes out again", id);
    if (place < messages.last)
        judge_fail("message %d goes out too late: one behind it has gone out before", id);
    messages.last = place;
    messages.known[id].here = messages.known[id].written = true;
    messages.written++;
}

void messages_proven(int id)
{
    if (messages.known[id].here)
        messages.known[id].proven = true;
}

/* The oldest messages of this connection that were not confirmed have been by now. */
static void check_confirmed(void)
{
    int place = 0;
    for (; messages.confirmed < (int)world.client.stats.confirmed; messages.confirmed++) {
        while (place < messages.count && (!messages.known[messages.order[place]].here ||
                                          messages.known[messages.order[place]].greeting ||
                                          messages.known[messages.order[place]].confirmed))
            place++;
        if (place == messages.count)
            judge_fail("more messages are confirmed than were sent");
        int id = messages.order[place];
        if (!messages.known[id].proven)
            judge_fail("message %d is confirmed, and the peer has not said that it has it", id);
        messages.known[id].confirmed = true;
    }
}

void messages_check(void)
{
    check_confirmed();
    if (messages.count != (int)world.client.stats.accepted)
        judge_fail("%d messages were accepted, and the books have %d", messages.count,
                   (int)world.client.stats.accepted);
    if (messages.written != (int)world.client.stats.sent)
        judge_fail("%d messages went out, and the books have %d", messages.written,
                   (int)world.client.stats.sent);
}

/* Nothing waits any more, so what did not go out was dropped. */
void messages_check_all(void)
{
    const struct steady_stats *stats = &world.client.stats;
    int missing = 0;
    for (int id = 0; id < messages.count; id++)
        missing += messages.known[id].greeting ? !messages.known[id].written : !is_done(id);
    if (missing != (int)stats->dropped)
        judge_fail("%d messages did not go out, and %d were dropped", missing, (int)stats->dropped);
}

/* What is done is forgotten, unless this connection got it. */
uint64_t messages_number(uint64_t number)
{
    for (int place = 0; place < messages.count; place++) {
        int id = messages.order[place];
        if (is_done(id) && !messages.known[id].here)
            continue;
        number = mix(number,
                     (uint64_t)(messages.known[id].here | messages.known[id].written << 1 |
                                messages.known[id].proven << 2 | messages.known[id].confirmed << 3 |
                                (messages.last == place) << 4));
    }
    return number;
}
