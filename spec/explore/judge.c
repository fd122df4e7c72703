/* What has to hold whatever happens. */
#include "explore.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK      0.5 /* seconds: a turn's first tenth outside of polling is no absence */
#define LINGER     1.0 /* seconds, as in client/link.c */
#define DELAY_MAX  5.0 /* seconds, of all ways and of Retry-After */
#define DELIVERIES 8   /* in a turn, as in client/client.c */

static struct {
    /* What the owner was told. */
    enum steady_status told;
    bool told_open, incomplete;
    /* What it did. */
    bool connected, closed, alive;
    /* Since when the session is in its state. */
    unsigned changes;
    double since, since_waited, lingers_since;
    bool lingers;
    bool late; /* what is told now may have happened in another state */
    /* Of this connection. */
    int sent, heard;         /* the peer's messages */
    bool cut, memory_failed; /* so that not all of them are heard */
    bool bad;
} judge;

void judge_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

void judge_begin(void)
{
    memset(&judge, 0, sizeof judge);
}

/* ------------------------------------------------------------------------- what is done */

void judge_connect(void)
{
    judge.connected = true;
    judge.closed = false;
    judge.alive = true;
}

void judge_close(void)
{
    judge.closed = judge.alive = judge.cut = true;
}

void judge_cut(void)
{
    judge.cut = true;
}

void judge_memory_failed(void)
{
    judge.memory_failed = true;
}

void judge_attempt(void)
{
    if (judge.closed)
        judge_fail("an attempt begins after close()");
    if (!judge.connected)
        judge_fail("an attempt begins without connect()");
    if (world.upgrade || world.stream)
        judge_fail("an attempt begins beside an attempt or a connection");
}

void judge_connection(void)
{
    judge.sent = judge.heard = 0;
    judge.cut = judge.memory_failed = judge.bad = false;
}

void judge_peer_sent(void)
{
    judge.sent++;
}

void judge_peer_is_bad(void)
{
    judge.bad = true;
}

void judge_release(void)
{
    if (!judge.alive)
        judge_fail("release is called twice, or for a client that was at rest");
    judge.alive = false;
}

/* good: neither the peer nor the network has ended it. A peer that may still answer our close frame
 * has close_timeout for it, of the time in which it can be heard. */
void judge_stream_freed(bool good)
{
    const struct steady_client *c = &world.client;
    double waited = world.waited - judge.since_waited;
    if (good && judge.told == STEADY_STATUS_CLOSING && c->changes == judge.changes + 1 &&
        c->link.state < STEADY_LINK_LINGERING && !judge.memory_failed && !judge.incomplete &&
        waited < c->options.session.close_timeout - SLACK)
        judge_fail("a peer is given up after %g s of close_timeout", waited);
}

/* ------------------------------------------------------------------------- events */

/* For want of memory the owner was not told of everything. */
static bool is_incomplete(void)
{
    return judge.incomplete || world.client.events.incomplete;
}

static void told_status(const struct steady_event *event)
{
    enum steady_status old = judge.told, new = event->status;
    judge.told = new;
    if (is_incomplete())
        return;
    if (event->old_status != old || new == old)
        judge_fail("the status becomes %s from %s, and was %s", steady_status_name(new),
                   steady_status_name(event->old_status), steady_status_name(old));
    bool up = new == STEADY_STATUS_OPEN || new == STEADY_STATUS_CLOSING;
    if (up != judge.told_open)
        judge_fail("the status becomes %s %s", steady_status_name(new),
                   up ? "without OPEN" : "without CLOSE");
}

/* The next one; behind our close frame, those that came while the client was paused are left out.
 */
static void told_message(const struct steady_event *event)
{
    char expected[16];
    int next = judge.heard, last = world.client.link.by_us ? judge.sent : judge.heard + 1;
    if (!judge.told_open && !is_incomplete())
        judge_fail("a message comes without OPEN");
    do
        snprintf(expected, sizeof expected, "p%04d", next++ % 10000);
    while (next < last && memcmp(event->data, expected, 5) != 0);
    if (event->size != 5 || memcmp(event->data, expected, 5) != 0)
        judge_fail("a message comes that is not the peer's next one: '%.*s', and not '%s'",
                   (int)event->size, (const char *)event->data, expected);
    judge.heard = next;
}

static void told_close(void)
{
    if (!judge.told_open && !is_incomplete())
        judge_fail("CLOSE is told without OPEN");
    judge.told_open = false;
    if (!judge.cut && !judge.memory_failed && judge.heard < judge.sent - peer_has_half())
        judge_fail("CLOSE is told when %d of %d messages were", judge.heard, judge.sent);
}

static void told_error(const struct steady_event *event)
{
    double waited = world.waited - judge.since_waited;
    if (event->error == STEADY_TIMEOUT && !judge.late &&
        waited < world.client.options.session.connect_timeout - SLACK)
        judge_fail("an attempt is given up after %g s of connect_timeout", waited);
    if (event->error == STEADY_PROTOCOL && !judge.bad)
        judge_fail("a peer is at fault that did all as it should: %s", event->message);
    if (event->error == STEADY_HEARTBEAT)
        judge.cut = true;
}

void judge_event(const struct steady_event *event)
{
    switch (event->type) {
    case STEADY_EVENT_INCOMPLETE:
        judge.incomplete = true;
        break;
    case STEADY_EVENT_STATUS:
        told_status(event);
        break;
    case STEADY_EVENT_OPEN:
        if (judge.told_open && !is_incomplete())
            judge_fail("OPEN is told twice");
        judge.told_open = true;
        messages_check();
        messages_greeting();
        break;
    case STEADY_EVENT_CLOSE:
        told_close();
        break;
    case STEADY_EVENT_ERROR:
        told_error(event);
        break;
    case STEADY_EVENT_MESSAGE:
        told_message(event);
        break;
    case STEADY_EVENT_PONG:
        if (!judge.told_open && !is_incomplete())
            judge_fail("a pong comes without OPEN");
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------------- after each step */

static void check_books(const struct steady_client *c)
{
    const struct steady_stats *stats = &c->stats;
    size_t queued = c->queue.waiting_messages + c->greetings.waiting_messages;
    messages_check();
    if (stats->accepted != stats->sent - stats->resent + queued + stats->dropped)
        judge_fail("the books do not add up: a message is lost, or in two places");
    if (c->options.confirm &&
        stats->sent - stats->resent != stats->confirmed + c->queue.sent_messages + stats->greetings)
        judge_fail("the books of confirmation do not add up");
}

static void check_told(const struct steady_client *c)
{
    if (world.deliveries < DELIVERIES && !steady_events_empty(&c->events))
        judge_fail("events are left at the end of a turn");
    if (c->link.state == STEADY_LINK_NEW)
        judge_fail("nobody greets an open connection");
    if (judge.incomplete) {
        judge.told = c->session.status;
        judge.told_open = c->link.state != STEADY_LINK_NONE;
        judge.incomplete = false;
    }
    if (steady_events_empty(&c->events) && judge.told != c->session.status)
        judge_fail("the status is %s, and the owner was told %s",
                   steady_status_name(c->session.status), steady_status_name(judge.told));
    if (steady_events_empty(&c->events) && judge.alive && !steady_session_active(&c->session))
        judge_fail("a client is at rest and was not released");
}

static bool is_waiting(enum steady_status status)
{
    return status == STEADY_STATUS_CONNECTING || status == STEADY_STATUS_WAITING ||
           status == STEADY_STATUS_CLOSING;
}

/* Nothing hangs: who waits has somebody to wake him, and is woken in time. */
static void check_time(const struct steady_client *c, bool turned)
{
    const struct steady_session_options *options = &c->options.session;
    double clock = world.clock - judge.since, waited = world.waited - judge.since_waited;
    enum steady_status status = c->session.status;
    bool queued = upgrade_is_queued();
    if (queued && !world.crowded)
        judge_fail("an attempt waits, and there is a place");
    if (is_waiting(status) && !queued && !loop_has_timer() && !loop_has_ready())
        judge_fail("the client hangs: it is %s, and no timer is armed", steady_status_name(status));
    if (!turned)
        return;
    if ((status == STEADY_STATUS_CONNECTING && !queued &&
         waited > options->connect_timeout + SLACK) ||
        (status == STEADY_STATUS_CLOSING && waited > options->close_timeout + SLACK) ||
        (status == STEADY_STATUS_WAITING && clock > DELAY_MAX + SLACK))
        judge_fail("the client has been %s for %g s", steady_status_name(status), waited);
    bool lingered = judge.lingers;
    judge.lingers = c->link.state == STEADY_LINK_LINGERING;
    if (!lingered)
        judge.lingers_since = world.clock;
    else if (judge.lingers && world.clock - judge.lingers_since > LINGER + SLACK)
        judge_fail("a connection lingers for ever");
}

/* Who has a place in the lobby, and gives it back once. */
static void check_places(const struct steady_client *c)
{
    size_t others = world.way->crowded ? STEADY_ATTEMPTS_MAX - !world.crowded : 0;
    bool has_place = c->attempt.state > STEADY_ATTEMPT_QUEUED;
    if (c->shared->lobby.under_way != others + has_place)
        judge_fail("%zu attempts count as under way, and %zu are", c->shared->lobby.under_way,
                   others + has_place);
}

static void note_time(const struct steady_client *c)
{
    if (c->changes == judge.changes)
        return;
    judge.changes = c->changes;
    judge.since = world.clock;
    judge.since_waited = world.waited;
}

void judge_step(bool turned)
{
    const struct steady_client *c = &world.client;
    if (world.loop.alive != (judge.alive ? 1 : 0))
        judge_fail("the loop counts %zu clients", world.loop.alive);
    if (world.gone)
        return;
    check_books(c);
    check_places(c);
    note_time(c);
    judge.late = !steady_events_empty(&c->events);
    check_time(c, turned);
    if (turned)
        check_told(c);
}

void judge_end(void)
{
    if (memory_in_use)
        judge_fail("%ld blocks of memory are lost", memory_in_use);
    if (world.stream || world.upgrade || world.timer)
        judge_fail("a connection, an attempt or a timer outlives its client");
    if (world.loop.alive)
        judge_fail("the loop counts a client that is gone");
    if (loop_has_ready())
        judge_fail("a turn is left to a client that is gone");
}

uint64_t judge_number(uint64_t number)
{
    number =
        mix(number, (uint64_t)judge.told << 8 |
                        (uint64_t)(judge.told_open | judge.incomplete << 1 | judge.connected << 2 |
                                   judge.closed << 3 | judge.alive << 4 | judge.cut << 5 |
                                   judge.memory_failed << 6 | judge.bad << 7));
    number = mix(number, judge.late);
    number = mix(number, (uint64_t)(judge.sent - judge.heard));
    if (!is_waiting(world.client.session.status))
        return number;
    number = mix(number, (uint64_t)llround((world.clock - judge.since) * 10));
    return mix(number, (uint64_t)llround((world.waited - judge.since_waited) * 10));
}
