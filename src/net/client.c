#include "net/client.h"

#include "net/answer.h"

#include <libwebsockets.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds that the peer has to end the TCP connection after its close frame, or after a failure.
 * Ending it is the server's part (RFC 6455 section 7.1.1). */
#define LINGER 1.0

/* Writes in a row for one client before others have a turn. */
#define WRITES_A_TURN 8

/* Bytes of pongs that wait to go out before reading stops. */
#define PONG_BACKLOG (64 * 1024)

/* Seconds the server may ask for in Retry-After. */
#define MAX_RETRY_AFTER 3600

/* A timer that fires this much early, in seconds, is on time: the loop's clock counts milliseconds.
 */
#define CLOCK_STEP 0.0005

/* ------------------------------------------------------------------------- changes of status */

static void drop_attempt(struct steady_client *c)
{
    steady_connection_drop(c->connection);
    c->connection = NULL;
    steady_dns_cancel(c->attempt.dns);
    c->attempt.dns = NULL;
    free(c->attempt.addresses);
    c->attempt.addresses = NULL;
}

static void push_close(struct steady_client *c, double delay)
{
    struct steady_link *link = &c->link;
    struct steady_event event = {
        .type = STEADY_EVENT_CLOSE,
        .code = link->failure ? link->failure_code
                : link->code  ? link->code
                              : STEADY_CLOSE_ABNORMAL,
        .data = (const uint8_t *)link->reason,
        .size = link->reason_size,
        .clean = link->code && steady_protocol_close_sent(&link->protocol),
        .by = link->failure || link->by_us ? STEADY_BY_US
              : link->code                 ? STEADY_BY_PEER
                                           : STEADY_BY_NETWORK,
        .delay = delay,
    };
    steady_events_push(&c->events, &event);
}

/* The open connection is over, one way or another. What had not gone out waits for the next one. */
static void end_link(struct steady_client *c, double delay)
{
    if (!c->link.open)
        return;
    push_close(c, delay);
    steady_protocol_free(&c->link.protocol);
    free(c->link.reason);
    c->link = (struct steady_link){0};
    steady_queue_rewind(&c->queue);
    steady_queue_prepend(&c->queue, &c->front);
}

/* Tells the session what happened and carries out what it answers. delay: see
 * steady_session_handle. The owner hears what happened first, the new status next. */
static enum steady_session_action change(struct steady_client *c, enum steady_session_event event,
                                         double delay)
{
    enum steady_status old = c->session.status;
    double now = steady_loop_time(c->loop);
    enum steady_session_action action = steady_session_handle(&c->session, event, now, delay);
    if (action == STEADY_ACTION_DROP || action == STEADY_ACTION_ATTEMPT ||
        event == STEADY_SESSION_FAILED || event == STEADY_SESSION_LOST) {
        end_link(c, action == STEADY_ACTION_ATTEMPT ? 0 : delay);
        drop_attempt(c);
    }
    if (c->session.status == STEADY_STATUS_CLOSED && c->user_closed)
        steady_queue_clear(&c->queue);
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

/* The seconds of a Retry-After header (RFC 9110 section 10.2.3), 0 where there is none. */
static double retry_after(const struct steady_buffer *headers)
{
    const char *value = headers ? steady_headers_find(headers, "retry-after") : NULL;
    char *end;
    double seconds = value ? strtod(value, &end) : 0;
    return value && end != value && seconds > 0 ? fmin(seconds, MAX_RETRY_AFTER) : 0;
}

static void push_error(struct steady_client *c, enum steady_error error,
                       const struct steady_end *end, double delay, const char *message)
{
    struct steady_buffer text = {0};
    steady_buffer_printf(&text, "%s: %s: %s", c->options.name, c->attempt.url->text, message);
    free(c->last_error);
    c->last_error = (char *)text.data;
    struct steady_event event = {
        .type = STEADY_EVENT_ERROR,
        .error = error,
        .message = c->last_error ? c->last_error : message,
        .url = c->attempt.url->text,
        .http_status = end ? end->http_status : 0,
        .headers = end && end->http_status ? end->headers : NULL,
        .attempt = c->session.attempt,
        .delay = delay,
    };
    steady_events_push(&c->events, &event);
}

/* end: what the connection told, or NULL. */
static void fail_attempt(struct steady_client *c, enum steady_error error,
                         const struct steady_end *end, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void fail_attempt(struct steady_client *c, enum steady_error error,
                         const struct steady_end *end, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    double delay = delay_of_options(c);
    if (delay >= 0 && error == STEADY_HTTP)
        delay = fmax(delay, retry_after(end->headers));
    push_error(c, error, end, delay, message);
    change(c, STEADY_SESSION_FAILED, delay);
}

/* ------------------------------------------------------------------------- the attempt */

static const struct steady_connection_owner connection_calls;

static void try_address(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    const struct steady_tls_options *tls = &c->options.tls;
    struct steady_target target = {
        .address = &attempt->addresses[attempt->current],
        .server_name = tls->server_name ? tls->server_name : attempt->url->host,
        .verify = tls->verify,
        .vhost = attempt->vhost,
        .url = attempt->url,
        .options = &c->options,
    };
    /* A silent address must leave time for the others. */
    double now = steady_loop_time(c->loop);
    attempt->deadline =
        now + (c->session.deadline - now) / (double)(attempt->count - attempt->current);
    c->connection = steady_connection_start(c->loop, &target, &connection_calls, c);
    if (!c->connection)
        fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
}

static bool next_address(struct steady_client *c)
{
    if (c->attempt.current + 1 >= c->attempt.count)
        return false;
    c->attempt.current++;
    try_address(c);
    return true;
}

static void set_addresses(struct steady_client *c, const struct steady_address *addresses,
                          size_t count)
{
    c->attempt.addresses = malloc(count * sizeof *addresses);
    if (!c->attempt.addresses) {
        fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
        return;
    }
    memcpy(c->attempt.addresses, addresses, count * sizeof *addresses);
    c->attempt.count = count;
    c->attempt.current = 0;
    try_address(c);
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_client *c = owner;
    c->attempt.dns = NULL;
    if (count)
        set_addresses(c, addresses, count);
    else
        fail_attempt(c, STEADY_DNS, NULL, "cannot resolve \"%s\": %s", c->attempt.url->host,
                     problem);
}

static bool get_vhost(struct steady_client *c)
{
    char message[512];
    struct steady_vhost *vhost = steady_vhost_get(
        c->loop, c->attempt.url->secure ? &c->options.tls : NULL, message, sizeof message);
    steady_vhost_release(c->attempt.vhost); /* after, so that it stays if it is the same */
    c->attempt.vhost = vhost;
    if (!vhost)
        fail_attempt(c, STEADY_TLS, NULL, "%s", message);
    return vhost != NULL;
}

static void start_attempt(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    struct steady_address address;
    attempt->start = false;
    attempt->url = &c->options.urls[(c->session.attempt - 1) % c->options.url_count];
    attempt->deadline = INFINITY;
    if (!get_vhost(c))
        return;
    if (steady_dns_literal(attempt->url->host, attempt->url->port, &address)) {
        set_addresses(c, &address, 1);
        return;
    }
    attempt->dns = steady_dns_resolve(c->loop, attempt->url->host, attempt->url->port, resolved, c);
    if (!attempt->dns)
        fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
}

/* ------------------------------------------------------------------------- sending */

/* After close(): once all that was queued has gone out, our close frame. */
static bool begin_closing(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    if (c->session.status != STEADY_STATUS_CLOSING || link->by_us || link->code || link->failure)
        return false;
    link->by_us = true;
    return steady_protocol_close(&link->protocol, c->close_code, c->close_reason,
                                 c->close_reason ? strlen(c->close_reason) : 0);
}

/* One write of as much as fits; false: there is nothing to write, or it cannot be. */
static bool write_some(struct steady_client *c)
{
    size_t size =
        steady_protocol_output(&c->link.protocol, &c->queue, false, steady_loop_now(c->loop),
                               c->loop->write_buffer + LWS_PRE, STEADY_WRITE_SIZE);
    return size && steady_connection_write(c->connection, size);
}

static void flush(struct steady_client *c)
{
    if (!c->link.greeted || !c->connection)
        return;
    for (int i = 0; i < WRITES_A_TURN && steady_connection_can_write(c->connection); i++)
        if (!write_some(c) && !(begin_closing(c) && write_some(c)))
            return;
    steady_connection_want_writable(c->connection);
}

/* ------------------------------------------------------------------------- receiving */

/* The OPEN event has been handled: what was sent meanwhile goes first. */
static void end_greeting(struct steady_client *c)
{
    if (!c->link.greeting)
        return;
    c->link.greeting = false;
    c->link.greeted = true;
    steady_queue_prepend(&c->queue, &c->front);
}

static void peer_closes(struct steady_client *c, const struct steady_protocol_event *event)
{
    struct steady_link *link = &c->link;
    link->code = event->code;
    link->reason = malloc(event->size + 1);
    link->linger = steady_loop_time(c->loop) + LINGER;
    if (!link->reason)
        return; /* the code is what matters */
    memcpy(link->reason, event->data, event->size);
    link->reason_size = event->size;
}

static void peer_fails(struct steady_client *c, const struct steady_protocol_event *event)
{
    struct steady_link *link = &c->link;
    link->failure = event->code == STEADY_CLOSE_TOO_LARGE        ? STEADY_TOO_LARGE
                    : event->code == STEADY_CLOSE_INTERNAL_ERROR ? STEADY_NETWORK
                                                                 : STEADY_PROTOCOL;
    link->failure_code = event->code;
    link->failure_message = (const char *)event->data;
    link->linger = steady_loop_time(c->loop) + LINGER;
}

static bool next_message(struct steady_client *c, struct steady_event *event)
{
    struct steady_protocol_event next;
    while (c->link.greeted && !c->paused &&
           steady_protocol_backlog(&c->link.protocol) < PONG_BACKLOG) {
        switch (steady_protocol_next(&c->link.protocol, &next)) {
        case STEADY_PROTOCOL_MESSAGE:
            event->type = STEADY_EVENT_MESSAGE;
            event->data = next.data;
            event->size = next.size;
            event->binary = next.binary;
            return true;
        case STEADY_PROTOCOL_CLOSE:
            peer_closes(c, &next);
            break;
        case STEADY_PROTOCOL_FAILURE:
            peer_fails(c, &next);
            break;
        case STEADY_PROTOCOL_NONE:
            return false;
        default:
            break;
        }
    }
    return false;
}

bool steady_client_next(struct steady_client *c, struct steady_event *event)
{
    end_greeting(c);
    if (!steady_events_pop(&c->events, event))
        return next_message(c, event);
    c->link.greeting = event->type == STEADY_EVENT_OPEN && c->link.open;
    return true;
}

static size_t unread(const struct steady_client *c)
{
    return c->link.open ? steady_protocol_pending(&c->link.protocol) : 0;
}

static void deliver(struct steady_client *c)
{
    if (!c->loop->halted) {
        c->delivering = true;
        c->owner->deliver(c);
        c->delivering = false;
        end_greeting(c);
    }
    if (!steady_events_empty(&c->events) || (unread(c) && !c->paused))
        steady_ready_add(c->loop, &c->ready);
}

/* ------------------------------------------------------------------------- the turn */

static void lose_link(struct steady_client *c)
{
    double delay = delay_of_options(c);
    if (c->link.failure)
        push_error(c, c->link.failure, NULL, delay, c->link.failure_message);
    change(c, STEADY_SESSION_LOST, delay);
}

static void time_out(struct steady_client *c)
{
    fail_attempt(c, STEADY_TIMEOUT, NULL, "%s within %g s",
                 c->connection ? steady_connection_missing(c->connection)
                               : "the name is not resolved",
                 c->options.session.connect_timeout);
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
        if (change(c, STEADY_SESSION_DUE, -1) == STEADY_ACTION_TIME_OUT)
            time_out(c);
    } else if (c->session.status == STEADY_STATUS_CONNECTING && due(c->attempt.deadline, now) &&
               c->attempt.current + 1 < c->attempt.count) {
        steady_connection_drop(c->connection);
        next_address(c);
    } else if (c->link.linger > 0 && due(c->link.linger, now)) {
        steady_connection_drop(c->connection);
        c->connection = NULL;
        c->link.lost = true;
    }
}

/* Sets the timer to the next point in time that matters. */
static void arm(struct steady_client *c)
{
    double next = c->session.deadline;
    if (c->session.status == STEADY_STATUS_CONNECTING && c->attempt.addresses)
        next = fmin(next, c->attempt.deadline);
    if (c->link.linger > 0 && !c->link.lost)
        next = fmin(next, c->link.linger);
    if (next == c->armed || !c->timer)
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
    if (unread(c) && !steady_protocol_hold(&c->link.protocol))
        c->link.lost = true; /* out of memory: bytes are missing, so the stream is of no more use */
    flush(c);
    if (c->link.lost && !unread(c))
        lose_link(c);
    if (c->connection && c->link.open)
        steady_connection_pause(c->connection, c->paused || unread(c));
    arm(c);
    if (c->alive && !steady_session_active(&c->session) && steady_events_empty(&c->events)) {
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
        start_attempt(c);
    carry_on(c);
}

static void timer_due(void *owner)
{
    struct steady_client *c = owner;
    c->armed = INFINITY;
    turn(&c->ready);
}

/* ------------------------------------------------------------------------- the connection calls */

static void opened(void *owner, const char *protocol, const struct steady_buffer *headers)
{
    struct steady_client *c = owner;
    struct steady_event event = {
        .type = STEADY_EVENT_OPEN,
        .reconnected = c->was_open,
        .protocol = protocol,
        .url = c->attempt.url->text,
        .address = c->attempt.addresses[c->attempt.current].text,
        .headers = headers,
        .attempt = c->session.attempt,
    };
    steady_events_push(&c->events, &event);
    free(c->subprotocol);
    c->subprotocol = protocol ? strdup(protocol) : NULL;
    c->was_open = true;
    c->link = (struct steady_link){.open = true};
    steady_protocol_init(&c->link.protocol, &c->loop->random, (size_t)c->options.max_message_size);
    free(c->attempt.addresses);
    c->attempt.addresses = NULL;
    change(c, STEADY_SESSION_OPENED, 0);
}

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_client *c = owner;
    steady_protocol_input(&c->link.protocol, bytes, size);
    carry_on(c);
}

static void writable(void *owner)
{
    carry_on(owner);
}

static void ended(void *owner, const struct steady_end *end)
{
    struct steady_client *c = owner;
    c->connection = NULL;
    if (c->link.open)
        c->link.lost = true;
    else if (!end->unreachable || !next_address(c))
        fail_attempt(c, end->error, end, "%s", end->message);
    carry_on(c);
}

static const struct steady_connection_owner connection_calls = {opened, received, writable, ended};

/* ------------------------------------------------------------------------- calls from outside */

void steady_client_init(struct steady_client *c, struct steady_loop *loop,
                        const struct steady_client_owner *owner)
{
    c->ready.run = turn;
    c->loop = loop;
    c->owner = owner;
    c->session.options = &c->options.session;
    c->session.deadline = INFINITY;
    c->armed = INFINITY;
}

void steady_client_free(struct steady_client *c)
{
    drop_attempt(c);
    steady_vhost_release(c->attempt.vhost);
    steady_ready_remove(c->loop, &c->ready);
    steady_timer_free(c->timer);
    if (c->link.open)
        steady_protocol_free(&c->link.protocol);
    free(c->link.reason);
    free(c->subprotocol);
    free(c->close_reason);
    free(c->last_error);
    steady_queue_rewind(&c->queue);
    steady_queue_clear(&c->queue);
    steady_queue_clear(&c->front);
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
    c->user_closed = c->was_open = false;
    live(c);
    change(c, STEADY_SESSION_CONNECT, -1);
    return STEADY_OK;
}

/* Makes room for a message; with overflow = "drop_oldest" at the cost of those queued before. */
static bool make_room(struct steady_client *c, size_t size)
{
    const struct steady_queue_options *bounds = &c->options.queue;
    if ((double)size > bounds->max_bytes || bounds->max_messages < 1)
        return false;
    while ((double)(steady_client_queued_bytes(c) + size) > bounds->max_bytes ||
           (double)(steady_client_queued_messages(c) + 1) > bounds->max_messages)
        if (bounds->overflow == STEADY_OVERFLOW_REFUSE ||
            !(steady_queue_drop(&c->queue) || steady_queue_drop(&c->front)))
            return false;
    return true;
}

enum steady_error steady_client_send(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_CLOSED;
    if (!binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    if (!make_room(c, size))
        return STEADY_QUEUE_FULL;
    if (!steady_queue_push(c->link.greeting ? &c->front : &c->queue, data, size, binary, INFINITY))
        return STEADY_NETWORK;
    if (c->link.open && !c->delivering)
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
    change(c, STEADY_SESSION_CLOSE, -1);
    return STEADY_OK;
}

/* The peer hears that we go, if it can be told at once. */
static void say_goodbye(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    if (!link->open || link->code || link->failure)
        return;
    link->by_us = true;
    if (steady_protocol_close(&link->protocol, STEADY_CLOSE_NORMAL, NULL, 0) && c->connection &&
        steady_connection_can_write(c->connection))
        write_some(c);
}

enum steady_error steady_client_reconnect(struct steady_client *c)
{
    if (!steady_session_active(&c->session) || c->session.status == STEADY_STATUS_CLOSING)
        return STEADY_NOT_CONNECTED;
    say_goodbye(c);
    change(c, STEADY_SESSION_RECONNECT, 0);
    return STEADY_OK;
}

void steady_client_pause(struct steady_client *c, bool pause)
{
    c->paused = pause;
    steady_ready_add(c->loop, &c->ready);
}

size_t steady_client_queued_bytes(const struct steady_client *c)
{
    return c->queue.waiting_bytes + c->front.waiting_bytes;
}

size_t steady_client_queued_messages(const struct steady_client *c)
{
    return c->queue.waiting_messages + c->front.waiting_messages;
}
