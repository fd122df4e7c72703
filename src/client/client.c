#include "client/client.h"

#include "client/attempt.h"
#include "client/change.h"
#include "client/inbox.h"
#include "client/invariants.h"
#include "client/link.h"
#include "client/outbox.h"
#include "client/receiving.h"
#include "client/sending.h"
#include "client/trace.h"
#include "core/utf8.h"
#include "dial/mask.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A timer that fires this much early, in seconds, is on time: the loop's clock counts milliseconds.
 */
#define CLOCK_STEP 0.0005

/* What one handler does may be told to another: so often within a turn, before others have one. */
#define DELIVERIES_A_TURN 8

#define MESSAGE_SIZE 1024 /* bytes of a text that tells why an attempt failed */

/* ------------------------------------------------------------------------- shared by a loop */

static bool open_shared(struct steady_service *service)
{
    struct steady_client_shared *shared = (struct steady_client_shared *)service;
    steady_mask_init(&shared->random);
    steady_lobby_init(&shared->lobby);
    return true;
}

static void close_shared(struct steady_service *service)
{
    steady_queue_pool_free(&((struct steady_client_shared *)service)->queue_pool);
}

static const struct steady_service_kind shared_kind = {
    .size = sizeof(struct steady_client_shared), .open = open_shared, .close = close_shared};

/* ------------------------------------------------------------------------- delivery */

bool steady_client_next(struct steady_client *c, struct steady_event *event)
{
    steady_link_end_greeting(c);
    bool waiting = !steady_events_empty(&c->events);
    if (waiting && c->batch == 0)
        return false;
    c->batch -= waiting;
    /* `current` is what was handed out last: popping lets go of it. */
    if ((!waiting && !c->events.current) || !steady_events_pop(&c->events, event))
        return steady_receiving_next(c, event);
    c->telling_end = (event->type == STEADY_EVENT_CLOSE || event->type == STEADY_EVENT_ERROR) &&
                     event->delay < 0;
    if (event->type == STEADY_EVENT_OPEN)
        steady_link_greet(c);
    else if (event->type == STEADY_EVENT_STATUS)
        c->told = event->status;
    else if (event->type == STEADY_EVENT_INCOMPLETE)
        c->told = c->session.status; /* the event that tells of it may be missing */
    return true;
}

enum steady_status steady_client_status(const struct steady_client *c)
{
    enum steady_status status = c->session.status;
    bool untold = status == STEADY_STATUS_CLOSED && c->told != STEADY_STATUS_CLOSED &&
                  !(c->entered && c->telling_end);
    return untold ? STEADY_STATUS_CLOSING : status;
}

/* A delivery that a handler cut short is to be finished, also when that was the last event: an
 * owner who watches hears of its end. */
static bool has_news(const struct steady_client *c)
{
    return !steady_events_empty(&c->events) || (c->watched && steady_loop_is_halted(c->loop));
}

static void deliver(struct steady_client *c)
{
    if (steady_loop_is_halted(c->loop))
        return;
    c->batch = c->events.count + c->events.incomplete;
    c->owner->deliver(c);
    steady_link_end_greeting(c);
}

/* Hands over what there is to the owner, and its answers to the peer. */
static void exchange(struct steady_client *c)
{
    deliver(c);
    steady_receiving_keep(c);
    steady_sending_flush(c);
    bool unread = steady_link_unread(c) > 0;
    if (unread && steady_receiving_can_deliver(c)) /* the pongs that it waited for have gone out */
        steady_ready_add(c->loop, &c->ready);
    if (c->link.state == STEADY_LINK_LOST && !unread)
        steady_client_lose_link(c);
}

/* ------------------------------------------------------------------------- deadlines */

static double session_deadline(const struct steady_client *c)
{
    return c->session.deadline;
}

static void session_due(struct steady_client *c, double now)
{
    (void)now;
    if (steady_client_has_link(c) && !c->link.code) { /* close_timeout: we end it */
        STEADY_DEBUG(&c->trace, "close_timeout is over after %g s: the connection is dropped",
                     c->options.session.close_timeout);
        c->link.by_us = true;
    }
    if (steady_client_change(c, STEADY_SESSION_DUE, -1) == STEADY_ACTION_TIME_OUT)
        steady_attempt_time_out(c);
}

static double linger_deadline(const struct steady_client *c)
{
    return c->link.state == STEADY_LINK_LINGERING ? c->link.linger : INFINITY;
}

static void linger_due(struct steady_client *c, double now)
{
    (void)now;
    STEADY_DEBUG(&c->trace, "the server does not end TCP, so we do");
    steady_link_drop(c);
}

/* All that a client may wait for, and what is done when that has not come in time. What is not in
 * here has no end but by a call of the owner's or of the peer's: being idle or closed, being open
 * without a heartbeat, and being paused. */
static const struct {
    double (*when)(const struct steady_client *client); /* INFINITY: not now */
    void (*due)(struct steady_client *client, double now);
} deadlines[] = {
    {session_deadline,
     session_due}, /* connect_timeout, the delay between attempts, close_timeout */
    {linger_deadline, linger_due},
    {steady_sending_heartbeat_deadline, steady_sending_check_heartbeat},
};

#define DEADLINES (sizeof deadlines / sizeof *deadlines)

/* While the loop was kept from polling, nobody could answer: see steady_loop_absent. */
static void put_off(struct steady_client *c)
{
    double absent = steady_loop_absent(c->loop);
    steady_session_put_off(&c->session, absent - c->absent);
    steady_heartbeat_put_off(&c->link.heartbeat, absent - c->absent);
    c->absent = absent;
}

static void check_deadlines(struct steady_client *c)
{
    put_off(c);
    double now = steady_loop_time(c->loop) + CLOCK_STEP;
    for (size_t i = 0; i < DEADLINES; i++)
        if (deadlines[i].when(c) <= now)
            deadlines[i].due(c, now);
}

static double next_deadline(const struct steady_client *c)
{
    double next = INFINITY;
    for (size_t i = 0; i < DEADLINES; i++)
        next = fmin(next, deadlines[i].when(c));
    return next;
}

/* Sets the timer to the next deadline. A timer that is too early does no harm, and each byte that
 * comes makes the heartbeat's later, so it stays. */
static void arm(struct steady_client *c)
{
    double next = next_deadline(c);
    if (!c->timer || next == c->armed || (c->armed < next && !isinf(next)))
        return;
    c->armed = next;
    if (isinf(next))
        steady_timer_stop(c->timer);
    else
        steady_timer_start(c->timer, next - steady_loop_time(c->loop));
}

/* ------------------------------------------------------------------------- the door */

/* Everything that comes from the loop to a client enters here. Some calls come from inside of
 * another one, which then does what is to be done at the end. */
static bool enter(struct steady_client *c)
{
    bool first = !c->entered;
    c->entered = true;
    return first;
}

static void settle(struct steady_client *c)
{
    if (c->link.stream)
        steady_stream_pause(c->link.stream,
                            steady_link_unread(c) || !steady_receiving_can_deliver(c));
    arm(c);
    if (!steady_loop_is_foreign(c->loop))
        steady_client_check(c, next_deadline(c));
    if (has_news(c))
        steady_ready_add(c->loop, &c->ready);
    else if (c->alive && !steady_session_active(&c->session)) {
        c->alive = false;
        c->loop->alive--;
        c->owner->release(c);
    }
}

/* ... and leaves here. first: what enter returned. */
static void leave(struct steady_client *c, bool first)
{
    if (!first)
        return;
    int deliveries = 0;
    do
        exchange(c);
    while (!steady_events_empty(&c->events) && !steady_loop_is_halted(c->loop) &&
           ++deliveries < DELIVERIES_A_TURN);
    c->entered = false;
    settle(c);
}

/* ------------------------------------------------------------------------- calls from the loop */

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_client *c = owner;
    bool first = enter(c);
    steady_receiving_input(c, bytes, size);
    leave(c, first);
}

static void writable(void *owner)
{
    struct steady_client *c = owner;
    leave(c, enter(c));
}

static void ended(void *owner)
{
    struct steady_client *c = owner;
    bool first = enter(c);
    STEADY_DEBUG(&c->trace, "TCP has ended");
    steady_link_lose_stream(c);
    leave(c, first);
}

/* Without an OPEN event nobody would greet the connection. */
static bool tell_open(struct steady_client *c, const struct steady_accepted *upgrade)
{
    struct steady_event event = {
        .type = STEADY_EVENT_OPEN,
        .reconnected = c->was_open,
        .protocol = upgrade->answer->protocol,
        .url = c->attempt.url->text,
        .address = upgrade->address->text,
        .headers = upgrade->headers,
        .attempt = c->session.attempt,
    };
    return steady_client_tell(c, &event);
}

static void open_link(struct steady_client *c, const struct steady_accepted *upgrade)
{
    static const struct steady_stream_owner calls = {received, writable, NULL, ended};
    const char *protocol = upgrade->answer->protocol;
    steady_holds_end(&c->attempt.holds, c->attempt.trail.first);
    free(c->subprotocol);
    c->subprotocol = protocol ? strdup(protocol) : NULL;
    c->was_open = true;
    steady_link_begin(c, upgrade, &calls);
    steady_client_change(c, STEADY_SESSION_OPENED, 0);
    if (upgrade->first_size)
        steady_receiving_input(c, upgrade->first, upgrade->first_size);
}

static void accepted(void *owner, const struct steady_accepted *upgrade)
{
    struct steady_client *c = owner;
    bool first = enter(c);
    steady_attempt_end(c);
    if (tell_open(c, upgrade)) {
        open_link(c, upgrade);
    } else {
        steady_stream_free(upgrade->stream);
        steady_client_fail_attempt(c, STEADY_NETWORK, "out of memory", NULL);
    }
    leave(c, first);
}

static void failed(void *owner, const struct steady_failure *failure);

static const struct steady_upgrade_owner upgrade_calls = {accepted, failed};

static void failed(void *owner, const struct steady_failure *failure)
{
    struct steady_client *c = owner;
    bool first = enter(c);
    char message[MESSAGE_SIZE];
    enum steady_error error =
        steady_attempt_go_on(c, failure, &upgrade_calls, message, sizeof message);
    if (error)
        steady_client_fail_attempt(c, error, message, error == failure->error ? failure : NULL);
    leave(c, first);
}

static void start_attempt(struct steady_client *c)
{
    char message[MESSAGE_SIZE];
    steady_client_change(c, STEADY_SESSION_BEGUN, 0);
    enum steady_error error = steady_attempt_start(c, &upgrade_calls, message, sizeof message);
    if (error)
        steady_client_fail_attempt(c, error, message, NULL);
}

static void turn(struct steady_ready *ready)
{
    struct steady_client *c = (struct steady_client *)ready; /* its first member */
    bool first = enter(c);
    if (c->attempt.state == STEADY_ATTEMPT_DUE)
        start_attempt(c);
    leave(c, first);
}

/* The loop has polled since the deadline passed: what came in time has been heard. */
static void timer_due(void *owner)
{
    struct steady_client *c = owner;
    bool first = enter(c);
    c->armed = INFINITY;
    check_deadlines(c);
    leave(c, first);
}

/* ------------------------------------------------------------------------- calls from outside */

bool steady_client_init(struct steady_client *c, struct steady_loop *loop,
                        const struct steady_client_owner *owner)
{
    c->shared = steady_loop_service(loop, &shared_kind);
    if (!c->shared)
        return false;
    c->ready.run = turn;
    c->loop = loop;
    c->queue.pool = c->front.pool = &c->shared->queue_pool;
    c->owner = owner;
    c->session.options = &c->options.session;
    c->session.deadline = INFINITY;
    c->armed = INFINITY;
    c->latency = -1;
    return true;
}

void steady_client_free(struct steady_client *c)
{
    steady_attempt_free(c);
    steady_link_free(c);
    steady_ready_remove(&c->ready);
    steady_timer_free(c->timer);
    free(c->subprotocol);
    free(c->close_reason);
    free(c->last_error);
    steady_queue_rewind(&c->queue);
    steady_queue_clear(&c->queue);
    steady_queue_clear(&c->front);
    steady_queue_clear(&c->inbox);
    steady_events_clear(&c->events);
    steady_options_free(&c->options);
    if (c->alive)
        c->loop->alive--;
    c->alive = false;
}

static void live(struct steady_client *c)
{
    if (c->alive)
        return;
    c->alive = true;
    c->loop->alive++;
}

enum steady_error steady_client_connect(struct steady_client *c, const uint8_t *data, size_t size,
                                        bool binary)
{
    struct steady_queue first = {0};
    if (steady_session_active(&c->session))
        return STEADY_ALREADY_CONNECTED;
    if (data && !binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    if (!c->timer && !(c->timer = steady_timer_new(c->loop, timer_due, c)))
        return STEADY_NETWORK;
    if (data && !steady_queue_push(&first, data, size, binary, INFINITY))
        return STEADY_NETWORK;
    steady_queue_prepend(&c->queue, &first);
    c->stats.accepted += data != NULL;
    c->user_closed = c->was_open = false;
    live(c);
    steady_client_change(c, STEADY_SESSION_CONNECT, -1);
    return STEADY_OK;
}

enum steady_error steady_client_send(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_CLOSED;
    if (!binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    enum steady_error error = steady_outbox_push(c, data, size, binary);
    if (error)
        return error;
    steady_sending_flush_full(c);
    if (steady_client_has_link(c) && !c->entered)
        steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

enum steady_error steady_client_ping(struct steady_client *c, const uint8_t *data, size_t size)
{
    if (c->session.status != STEADY_STATUS_OPEN || c->link.state > STEADY_LINK_OPEN)
        return STEADY_NOT_CONNECTED;
    if (!steady_sending_ping(c, data, size))
        return STEADY_NETWORK;
    steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

enum steady_error steady_client_close(struct steady_client *c, uint16_t code, const char *reason,
                                      size_t size)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_OK;
    char *copy = size ? strndup(reason, size) : NULL;
    if (size && !copy)
        return STEADY_NETWORK;
    free(c->close_reason);
    c->close_reason = copy;
    c->close_code = code;
    c->user_closed = true;
    live(c);
    STEADY_DEBUG(&c->trace, "close(%u), with %zu messages to go out before", code,
                 steady_outbox_messages(c));
    steady_client_change(c, STEADY_SESSION_CLOSE, -1);
    return STEADY_OK;
}

enum steady_error steady_client_reconnect(struct steady_client *c)
{
    if (!steady_session_active(&c->session) || c->session.status == STEADY_STATUS_CLOSING)
        return STEADY_NOT_CONNECTED;
    STEADY_DEBUG(&c->trace, "reconnect()");
    steady_sending_say_goodbye(c);
    steady_client_change(c, STEADY_SESSION_RECONNECT, 0);
    return STEADY_OK;
}

void steady_client_pause(struct steady_client *c, bool pause)
{
    if (c->paused != pause)
        STEADY_DEBUG(&c->trace, pause ? "pause()" : "resume()");
    if (c->paused && !pause) /* its silence meanwhile was ours */
        c->link.heartbeat.heard = steady_loop_time(c->loop);
    c->paused = pause;
    steady_ready_add(c->loop, &c->ready);
}

size_t steady_client_discard(struct steady_client *c)
{
    return steady_outbox_discard(c);
}

void steady_client_taken(struct steady_client *c)
{
    bool was_full = !steady_receiving_can_deliver(c);
    steady_inbox_drop(c);
    if (was_full)
        steady_ready_add(c->loop, &c->ready);
}

size_t steady_client_buffered(const struct steady_client *c)
{
    return steady_outbox_bytes(c) + (c->link.stream ? steady_stream_buffered(c->link.stream) : 0);
}

struct steady_stats steady_client_stats(struct steady_client *c)
{
    struct steady_stats stats = c->stats;
    if (steady_client_has_link(c))
        stats.connected += steady_loop_time(c->loop) - c->link.opened_at;
    return stats;
}
