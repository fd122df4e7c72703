#include "net/client.h"

#include "core/number.h"
#include "core/retry_after.h"
#include "net/parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds the server may ask for in Retry-After. */
#define MAX_RETRY_AFTER 3600

/* ------------------------------------------------------------------------- what the session says
 */

/* Tells the session what happened and carries out what it answers. delay: see
 * steady_session_handle. The owner hears what happened first, the new status next. */
enum steady_session_action steady_client_change(struct steady_client *c,
                                                enum steady_session_event event, double delay)
{
    enum steady_status old = c->session.status;
    c->changes++;
    double now = steady_loop_time(c->loop);
    enum steady_session_action action = steady_session_handle(&c->session, event, now, delay);
    if (action == STEADY_ACTION_DROP || action == STEADY_ACTION_ATTEMPT ||
        event == STEADY_SESSION_FAILED || event == STEADY_SESSION_LOST) {
        steady_link_end(c, action == STEADY_ACTION_ATTEMPT ? 0 : delay);
        steady_attempt_drop(c);
    }
    if (c->session.status == STEADY_STATUS_CLOSED && c->user_closed)
        c->stats.dropped += steady_queue_clear(&c->queue);
    if (c->session.status != old) {
        struct steady_event status = {
            .type = STEADY_EVENT_STATUS, .status = c->session.status, .old_status = old};
        steady_events_push(&c->events, &status);
    }
    c->attempt.start = action == STEADY_ACTION_ATTEMPT;
    steady_ready_add(c->loop, &c->ready);
    return action;
}

static double delay_of_options(struct steady_client *c)
{
    return steady_session_delay(&c->session, steady_loop_time(c->loop),
                                steady_loop_random(c->loop));
}

/* ------------------------------------------------------------------------- failures */

/* Seconds that the server asks for, 0 where it does not. */
static double retry_after(const struct steady_buffer *headers)
{
    const char *value = headers ? steady_headers_find(headers, "retry-after") : NULL;
    return value ? fmin(steady_retry_after(value, time(NULL)), MAX_RETRY_AFTER) : 0;
}

/* Makes event->message one with the client's name and the URL, and remembers it. */
void steady_client_complete_message(struct steady_client *c, struct steady_event *event)
{
    struct steady_buffer text = {0};
    const char *url = c->attempt.url ? c->attempt.url->text : "";
    steady_buffer_printf(&text, "%s: %s%s%s", c->options.name, url, *url ? ": " : "",
                         event->message);
    free(c->last_error);
    c->last_error = (char *)text.data;
    event->url = c->attempt.url ? url : NULL;
    event->message = c->last_error ? c->last_error : event->message;
    event->attempt = c->session.attempt;
    c->stats.failures++;
}

/* Asks the owner what shall follow `ended`, and tells it `error`, if it is not NULL. An owner that
 * answers with a call, as close() or reconnect(), has decided by that; it hears of the error before
 * it hears what the call did. */
static void decide(struct steady_client *c, enum steady_session_event what,
                   const struct steady_event *ended, struct steady_event *error)
{
    unsigned changes = c->changes;
    struct steady_queued_event *last = c->events.last;
    double delay = c->owner->decide(c, ended);
    bool overtaken = c->changes != changes;
    if (overtaken)
        delay = c->session.status == STEADY_STATUS_CONNECTING ? 0 : -1;
    if (error) {
        error->delay = delay;
        steady_events_insert(&c->events, last, error);
    }
    if (!overtaken || c->session.status == STEADY_STATUS_CLOSING)
        steady_client_change(c, what, delay);
}

void steady_client_fail_attempt(struct steady_client *c, enum steady_error error,
                                const struct steady_failure *failure, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct steady_event event = {
        .type = STEADY_EVENT_ERROR,
        .error = error,
        .message = message,
        .http_status = failure ? failure->http_status : 0,
        .headers = failure && failure->http_status ? failure->headers : NULL,
        .data = failure ? failure->body : NULL,
        .size = failure ? failure->body_size : 0,
        .delay = delay_of_options(c),
    };
    steady_client_complete_message(c, &event);
    event.retry_after = retry_after(event.headers);
    if (event.delay >= 0)
        event.delay = fmax(event.delay, event.retry_after);
    decide(c, STEADY_SESSION_FAILED, &event, &event);
}

/* ------------------------------------------------------------------------- the turn */

bool steady_client_next(struct steady_client *c, struct steady_event *event)
{
    steady_link_end_greeting(c);
    /* `current` is what was handed out last: popping lets go of it. */
    bool queued = !steady_events_empty(&c->events) || c->events.current;
    if (!queued || !steady_events_pop(&c->events, event))
        return steady_link_next(c, event);
    c->link.greeting = event->type == STEADY_EVENT_OPEN && c->link.open;
    return true;
}

/* A delivery that a handler cut short is to be finished, also when that was the last event: an
 * owner who watches hears of its end. */
static bool has_news(const struct steady_client *c)
{
    return !steady_events_empty(&c->events) || (c->watched && c->loop->halted);
}

static void deliver(struct steady_client *c)
{
    if (!c->loop->halted) {
        c->delivering = true;
        c->owner->deliver(c);
        c->delivering = false;
        steady_link_end_greeting(c);
    }
    if (has_news(c))
        steady_ready_add(c->loop, &c->ready);
}

static void lose_link(struct steady_client *c)
{
    struct steady_event closing = steady_link_close_event(c, delay_of_options(c));
    struct steady_event error = {
        .type = STEADY_EVENT_ERROR, .error = c->link.failure, .message = c->link.failure_message};
    if (c->link.failure)
        steady_client_complete_message(c, &error);
    decide(c, STEADY_SESSION_LOST, &closing, c->link.failure ? &error : NULL);
}

static bool due(double deadline, double now)
{
    return deadline - CLOCK_STEP <= now;
}

static void check_time(struct steady_client *c)
{
    double now = steady_loop_time(c->loop);
    if (due(c->session.deadline, now)) {
        c->link.by_us = c->link.by_us || !c->link.code; /* close_timeout: we end it */
        if (steady_client_change(c, STEADY_SESSION_DUE, -1) == STEADY_ACTION_TIME_OUT)
            steady_attempt_time_out(c);
    } else if (c->session.status == STEADY_STATUS_CONNECTING && due(c->attempt.deadline, now)) {
        steady_attempt_leave_address(c);
    } else if (c->link.linger > 0 && !c->link.lost && due(c->link.linger, now)) {
        steady_link_drop(c);
    } else {
        steady_link_check_heartbeat(c, now);
    }
}

/* Sets the timer to the next point in time that matters. A timer that is too early does no harm,
 * and each byte that comes makes the heartbeat's later, so it stays. */
static void arm(struct steady_client *c)
{
    double next = c->session.deadline;
    if (c->session.status == STEADY_STATUS_CONNECTING && c->attempt.addresses)
        next = fmin(next, c->attempt.deadline);
    if (c->link.linger > 0 && !c->link.lost)
        next = fmin(next, c->link.linger);
    if (steady_link_has_heartbeat(c))
        next = fmin(next, steady_heartbeat_deadline(&c->link.heartbeat, &c->options.heartbeat));
    if (!c->timer || next == c->armed || (c->armed < next && !isinf(next)))
        return;
    c->armed = next;
    if (isinf(next))
        steady_timer_stop(c->timer);
    else
        steady_timer_start(c->timer, next - steady_loop_time(c->loop));
}

/* Where every call from the loop ends: hands over what there is to the owner, and its answers to
 * the peer. */
static void carry_on(struct steady_client *c)
{
    deliver(c);
    if (steady_link_unread(c) && !steady_protocol_hold(&c->link.protocol))
        c->link.lost = true; /* out of memory: bytes are missing, so the stream is of no more use */
    steady_link_flush(c);
    if (steady_link_unread(c) &&
        steady_link_can_deliver(c)) /* the pongs that delivery waited for have gone out */
        steady_ready_add(c->loop, &c->ready);
    if (c->link.lost && !steady_link_unread(c))
        lose_link(c);
    if (c->link.stream)
        steady_stream_pause(c->link.stream, steady_link_unread(c) || !steady_link_can_deliver(c));
    arm(c);
    if (c->alive && !steady_session_active(&c->session) && !has_news(c)) {
        c->alive = false;
        c->loop->alive--;
        c->owner->release(c);
    }
}

static void turn(struct steady_ready *ready)
{
    struct steady_client *c = (struct steady_client *)ready; /* its first member */
    check_time(c);
    if (c->attempt.start)
        steady_attempt_start(c);
    carry_on(c);
}

static void timer_due(void *owner)
{
    struct steady_client *c = owner;
    c->armed = INFINITY;
    turn(&c->ready);
}

/* ------------------------------------------------------------------------- calls from the loop */

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_client *c = owner;
    c->link.heartbeat.heard = steady_loop_now(c->loop);
    c->stats.bytes_received += size;
    steady_protocol_input(&c->link.protocol, bytes, size);
    carry_on(c);
}

static void writable(void *owner)
{
    carry_on(owner);
}

static void ended(void *owner)
{
    struct steady_client *c = owner;
    steady_link_drop(c);
    carry_on(c);
}

static void accepted(void *owner, const struct steady_accepted *upgrade)
{
    static const struct steady_stream_owner calls = {received, writable, ended};
    struct steady_client *c = owner;
    const char *protocol = upgrade->answer->protocol;
    struct steady_event event = {
        .type = STEADY_EVENT_OPEN,
        .reconnected = c->was_open,
        .protocol = protocol,
        .url = c->attempt.url->text,
        .address = c->attempt.addresses[c->attempt.current].text,
        .headers = upgrade->headers,
        .attempt = c->session.attempt,
    };
    c->attempt.upgrade = NULL;
    steady_events_push(&c->events, &event);
    free(c->subprotocol);
    c->subprotocol = protocol ? strdup(protocol) : NULL;
    c->was_open = true;
    c->link = (struct steady_link){.open = true};
    c->link.stream = upgrade->stream;
    steady_stream_give(upgrade->stream, &calls, c);
    c->link.opened_at = c->link.heartbeat.heard = steady_loop_time(c->loop);
    c->stats.connections++;
    steady_protocol_init(&c->link.protocol, &c->loop->random,
                         steady_size(c->options.max_message_size));
    steady_protocol_deflate(&c->link.protocol, &upgrade->answer->compression);
    free(c->attempt.addresses);
    c->attempt.addresses = NULL;
    steady_client_change(c, STEADY_SESSION_OPENED, 0);
    if (upgrade->first_size)
        received(c, upgrade->first, upgrade->first_size);
}

static void failed(void *owner, const struct steady_failure *failure)
{
    struct steady_client *c = owner;
    c->attempt.upgrade = NULL;
    if (!failure->unreachable || c->session.deadline == INFINITY || !steady_attempt_next_address(c))
        steady_client_fail_attempt(c, failure->error, failure, "%s", failure->message);
    carry_on(c);
}

const struct steady_upgrade_owner steady_client_upgrade_calls = {accepted, failed};

/* ------------------------------------------------------------------------- calls from outside */

void steady_client_init(struct steady_client *c, struct steady_loop *loop,
                        const struct steady_client_owner *owner)
{
    c->ready.run = turn;
    c->loop = loop;
    c->queue.pool = c->front.pool = &loop->queue_pool;
    c->owner = owner;
    c->session.options = &c->options.session;
    c->session.deadline = INFINITY;
    c->armed = INFINITY;
    c->latency = -1;
}

void steady_client_free(struct steady_client *c)
{
    steady_attempt_drop(c);
    steady_url_free(&c->attempt.proxy);
    steady_vhost_release(c->attempt.vhost);
    steady_ready_remove(c->loop, &c->ready);
    steady_timer_free(c->timer);
    if (c->link.open)
        steady_protocol_free(&c->link.protocol);
    steady_stream_free(c->link.stream);
    free(c->link.reason);
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

enum steady_error steady_client_ping(struct steady_client *c, const uint8_t *data, size_t size)
{
    if (c->session.status != STEADY_STATUS_OPEN || c->link.code || c->link.failure || c->link.lost)
        return STEADY_NOT_CONNECTED;
    if (!steady_protocol_ping(&c->link.protocol, data, size))
        return STEADY_NETWORK;
    c->link.heartbeat.overtaken = true;
    c->stats.pings++;
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
    steady_client_change(c, STEADY_SESSION_CLOSE, -1);
    return STEADY_OK;
}

enum steady_error steady_client_reconnect(struct steady_client *c)
{
    if (!steady_session_active(&c->session) || c->session.status == STEADY_STATUS_CLOSING)
        return STEADY_NOT_CONNECTED;
    steady_link_say_goodbye(c);
    steady_client_change(c, STEADY_SESSION_RECONNECT, 0);
    return STEADY_OK;
}

void steady_client_pause(struct steady_client *c, bool pause)
{
    if (c->paused && !pause) /* its silence meanwhile was ours */
        c->link.heartbeat.heard = steady_loop_time(c->loop);
    c->paused = pause;
    steady_ready_add(c->loop, &c->ready);
}

struct steady_stats steady_client_stats(struct steady_client *c)
{
    struct steady_stats stats = c->stats;
    if (c->link.open)
        stats.connected += steady_loop_time(c->loop) - c->link.opened_at;
    return stats;
}
