#include "net/client.h"

#include "core/retry_after.h"
#include "net/answer.h"
#include "net/proxy.h"

#include <libwebsockets.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds that the peer has to end the TCP connection after its close frame, or after a failure.
 * Ending it is the server's part (RFC 6455 section 7.1.1). */
#define LINGER 1.0

/* Writes in a row for one client before others have a turn. */
#define WRITES_A_TURN 8

/* Bytes of pongs that wait to go out before reading stops. */
#define PONG_BACKLOG (64 * 1024)

/* Bytes that a message in the inbox counts beside its payload. */
#define INBOX_MESSAGE 32

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

static struct steady_event close_event(const struct steady_client *c, double delay)
{
    const struct steady_link *link = &c->link;
    return (struct steady_event){
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
}

/* The open connection is over, one way or another. What had not gone out waits for the next one. */
static void end_link(struct steady_client *c, double delay)
{
    if (!c->link.open)
        return;
    struct steady_event event = close_event(c, delay);
    steady_events_push(&c->events, &event);
    steady_protocol_free(&c->link.protocol);
    free(c->link.reason);
    c->stats.connected += steady_loop_time(c->loop) - c->link.opened_at;
    c->stats.resent += c->queue.sent_messages;
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
    c->changes++;
    double now = steady_loop_time(c->loop);
    enum steady_session_action action = steady_session_handle(&c->session, event, now, delay);
    if (action == STEADY_ACTION_DROP || action == STEADY_ACTION_ATTEMPT ||
        event == STEADY_SESSION_FAILED || event == STEADY_SESSION_LOST) {
        end_link(c, action == STEADY_ACTION_ATTEMPT ? 0 : delay);
        drop_attempt(c);
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
static void complete_message(struct steady_client *c, struct steady_event *event)
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
 * answers with a call, as close(), has decided by that. */
static void decide(struct steady_client *c, enum steady_session_event what,
                   const struct steady_event *ended, struct steady_event *error)
{
    unsigned changes = c->changes;
    double delay = c->owner->decide(c, ended);
    bool overtaken = c->changes != changes;
    if (error) {
        error->delay = overtaken ? -1 : delay;
        steady_events_push(&c->events, error);
    }
    if (!overtaken)
        change(c, what, delay);
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
    struct steady_event event = {
        .type = STEADY_EVENT_ERROR,
        .error = error,
        .message = message,
        .http_status = end ? end->http_status : 0,
        .headers = end && end->http_status ? end->headers : NULL,
        .data = end ? end->body : NULL,
        .size = end ? end->body_size : 0,
        .delay = delay_of_options(c),
    };
    complete_message(c, &event);
    event.retry_after = retry_after(event.headers);
    if (event.delay >= 0)
        event.delay = fmax(event.delay, event.retry_after);
    decide(c, STEADY_SESSION_FAILED, &event, &event);
}

/* ------------------------------------------------------------------------- the attempt */

static const struct steady_connection_owner connection_calls;

/* The proxy of the present attempt, or NULL. */
static const struct steady_url *proxy_of(const struct steady_client *c)
{
    return c->options.proxy.host   ? &c->options.proxy
           : c->attempt.proxy.host ? &c->attempt.proxy
                                   : NULL;
}

static bool get_vhost(struct steady_client *c)
{
    char message[512];
    struct steady_proxy proxy = {proxy_of(c), c->attempt.addresses[c->attempt.current].text};
    struct steady_vhost *vhost =
        steady_vhost_get(c->loop, c->attempt.url->secure ? &c->options.tls : NULL,
                         proxy.url ? &proxy : NULL, message, sizeof message);
    steady_vhost_release(c->attempt.vhost); /* after, so that it stays if it is the same */
    c->attempt.vhost = vhost;
    if (!vhost)
        fail_attempt(c, STEADY_TLS, NULL, "%s", message);
    return vhost != NULL;
}

static void try_address(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    const struct steady_tls_options *tls = &c->options.tls;
    if (!get_vhost(c))
        return;
    struct steady_target target = {
        .address = &attempt->addresses[attempt->current],
        .server_name = tls->server_name ? tls->server_name : attempt->url->host,
        .verify = tls->verify,
        .vhost = attempt->vhost,
        .url = attempt->url,
        .proxy = proxy_of(c),
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

static const char *host_to_reach(const struct steady_client *c)
{
    return proxy_of(c) ? proxy_of(c)->host : c->attempt.url->host;
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_client *c = owner;
    c->attempt.dns = NULL;
    if (count)
        set_addresses(c, addresses, count);
    else
        fail_attempt(c, proxy_of(c) ? STEADY_PROXY : STEADY_DNS, NULL, "cannot resolve \"%s\": %s",
                     host_to_reach(c), problem);
}

static void look_up(struct steady_client *c)
{
    struct steady_address address;
    const char *host = host_to_reach(c);
    uint16_t port = proxy_of(c) ? proxy_of(c)->port : c->attempt.url->port;
    if (steady_dns_literal(host, port, &address))
        set_addresses(c, &address, 1);
    else if (!(c->attempt.dns = steady_dns_resolve(c->loop, host, port, resolved, c)))
        fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
}

static void start_attempt(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    char message[512];
    attempt->start = false;
    attempt->deadline = INFINITY;
    attempt->url = NULL; /* the options' are about to change */
    c->stats.attempts++;
    unsigned changes = c->changes;
    bool prepared = c->owner->prepare(c, message, sizeof message);
    if (c->changes != changes) /* by a call of the owner's */
        return;
    if (!prepared) {
        fail_attempt(c, STEADY_PROVIDER, NULL, "%s", message);
        return;
    }
    attempt->url = &c->options.urls[(c->session.attempt - 1) % c->options.url_count];
    steady_url_free(&attempt->proxy);
    if (c->options.proxy_of_environment &&
        !steady_proxy_of_environment(attempt->url, &attempt->proxy, message, sizeof message))
        fail_attempt(c, STEADY_PROXY, NULL, "%s", message);
    else
        look_up(c);
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

/* Behind the messages that went out, a ping whose pong confirms them. One at a time: the next one
 * covers what is sent until then. Our close frame needs none: its answer confirms as well. Returns
 * whether there is one to go out. */
static bool ask_for_confirmation(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    uint8_t payload[STEADY_HEARTBEAT_PING];
    if (!c->options.confirm || link->heartbeat.covers || !c->queue.sent_messages || link->code ||
        link->by_us || link->failure)
        return false;
    steady_heartbeat_ask(&link->heartbeat, c->queue.sent_messages, steady_loop_now(c->loop),
                         payload);
    c->stats.pings++;
    return steady_protocol_ping(&link->protocol, payload, sizeof payload);
}

/* One write of as much as fits; false: there is nothing to write, or it cannot be. */
static bool write_some(struct steady_client *c)
{
    struct steady_protocol *protocol = &c->link.protocol;
    size_t waiting = c->queue.waiting_messages;
    uint64_t expired = protocol->expired;
    size_t size =
        steady_protocol_output(protocol, &c->queue, c->options.confirm, steady_loop_now(c->loop),
                               c->loop->write_buffer + LWS_PRE, STEADY_WRITE_SIZE);
    expired = protocol->expired - expired;
    c->stats.dropped += expired;
    c->stats.sent += waiting - c->queue.waiting_messages - expired;
    c->stats.bytes_sent += size;
    if (c->watched && !c->queue.waiting_messages && waiting)
        steady_ready_add(c->loop, &c->ready);
    bool written = size && steady_connection_write(c->connection, size);
    return ask_for_confirmation(c) || written;
}

/* Whether the queue, having been over high_water, is at or under low_water. */
static void check_drain(struct steady_client *c)
{
    if (!c->over_high_water || (double)steady_client_queued_bytes(c) > c->options.low_water)
        return;
    struct steady_event event = {.type = STEADY_EVENT_DRAIN};
    c->over_high_water = false;
    steady_events_push(&c->events, &event);
    steady_ready_add(c->loop, &c->ready);
}

static void flush(struct steady_client *c)
{
    if (!c->link.greeted || !c->connection)
        return;
    bool more = true;
    for (int i = 0; more && i < WRITES_A_TURN && steady_connection_can_write(c->connection); i++)
        more = write_some(c) || (begin_closing(c) && write_some(c));
    if (more)
        steady_connection_want_writable(c->connection);
    check_drain(c);
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
    if (link->by_us) { /* it answers our close frame, so it has read all before that */
        c->stats.confirmed += c->queue.sent_messages;
        steady_queue_confirm(&c->queue, c->queue.sent_messages);
    }
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

/* A pong of ours confirms; another one is the owner's, who may have pinged by hand. */
static bool is_for_owner(struct steady_client *c, const struct steady_protocol_event *pong)
{
    double latency;
    size_t confirmed;
    c->stats.pongs++;
    if (!steady_heartbeat_pong(&c->link.heartbeat, pong->data, pong->size, steady_loop_now(c->loop),
                               &latency, &confirmed))
        return true;
    c->latency = latency;
    c->stats.confirmed += confirmed;
    steady_queue_confirm(&c->queue, confirmed);
    return false;
}

/* The answer to a text heartbeat. */
static bool is_reply(struct steady_client *c, const struct steady_protocol_event *message)
{
    const char *reply = c->options.heartbeat.on ? c->options.heartbeat.reply : NULL;
    if (!reply || message->binary || strlen(reply) != message->size ||
        memcmp(reply, message->data, message->size) != 0)
        return false;
    if (c->link.heartbeat.asked > 0 && !c->link.heartbeat.covers) { /* not by a ping, that is */
        c->latency = steady_loop_now(c->loop) - c->link.heartbeat.asked;
        c->link.heartbeat.asked = 0;
    }
    return true;
}

static bool for_owner(struct steady_event *event, enum steady_event_type type,
                      const struct steady_protocol_event *from)
{
    event->type = type;
    event->data = from->data;
    event->size = from->size;
    event->binary = from->binary;
    return true;
}

/* Bytes, with what a message takes beside its payload: empty ones are not for free. */
static size_t inbox_size(const struct steady_client *c)
{
    return c->inbox.waiting_bytes + INBOX_MESSAGE * c->inbox.waiting_messages;
}

static bool can_deliver(const struct steady_client *c)
{
    return c->link.greeted && !c->paused &&
           (double)inbox_size(c) < c->options.inbox.max_bytes &&
           (c->link.lost || steady_protocol_backlog(&c->link.protocol) < PONG_BACKLOG);
}

static bool next_message(struct steady_client *c, struct steady_event *event)
{
    struct steady_protocol_event next;
    while (can_deliver(c)) {
        switch (steady_protocol_next(&c->link.protocol, &next)) {
        case STEADY_PROTOCOL_MESSAGE:
            if (is_reply(c, &next))
                break;
            c->stats.received++;
            return for_owner(event, STEADY_EVENT_MESSAGE, &next);
        case STEADY_PROTOCOL_PONG:
            if (is_for_owner(c, &next))
                return for_owner(event, STEADY_EVENT_PONG, &next);
            break;
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
    if (!steady_events_empty(&c->events))
        steady_ready_add(c->loop, &c->ready);
}

/* ------------------------------------------------------------------------- the turn */

static void lose_link(struct steady_client *c)
{
    struct steady_event closing = close_event(c, delay_of_options(c));
    struct steady_event error = {
        .type = STEADY_EVENT_ERROR, .error = c->link.failure, .message = c->link.failure_message};
    if (c->link.failure)
        complete_message(c, &error);
    decide(c, STEADY_SESSION_LOST, &closing, c->link.failure ? &error : NULL);
}

static void time_out(struct steady_client *c)
{
    double seconds = c->options.session.connect_timeout;
    if (c->connection)
        steady_connection_time_out(c->connection, seconds);
    else
        fail_attempt(c, STEADY_TIMEOUT, NULL, "the name is not resolved within %g s", seconds);
}

static bool due(double deadline, double now)
{
    return deadline - CLOCK_STEP <= now;
}

/* Ends the connection from our side, as if TCP had ended. */
static void drop_link(struct steady_client *c)
{
    steady_connection_drop(c->connection);
    c->connection = NULL;
    c->link.lost = true;
}

static void ask_for_life(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    const char *message = c->options.heartbeat.message;
    double now = steady_loop_now(c->loop);
    if (message) {
        link->heartbeat.asked = now;
        steady_protocol_text(&link->protocol, (const uint8_t *)message, strlen(message));
    } else {
        uint8_t payload[STEADY_HEARTBEAT_PING];
        steady_heartbeat_ask(&link->heartbeat, c->queue.sent_messages, now, payload);
        steady_protocol_ping(&link->protocol, payload, sizeof payload);
        c->stats.pings++;
    }
}

/* While it is paused, or closing, a client does not ask. */
static bool has_heartbeat(const struct steady_client *c)
{
    return c->session.status == STEADY_STATUS_OPEN && c->link.greeted && !c->link.lost &&
           !c->link.code && !c->link.failure && can_deliver(c);
}

static void check_heartbeat(struct steady_client *c, double now)
{
    struct steady_link *link = &c->link;
    if (!has_heartbeat(c))
        return;
    switch (steady_heartbeat_check(&link->heartbeat, &c->options.heartbeat, now + CLOCK_STEP)) {
    case STEADY_HEARTBEAT_ASK:
        ask_for_life(c);
        break;
    case STEADY_HEARTBEAT_DEAD:
        link->failure = STEADY_HEARTBEAT;
        link->failure_code = STEADY_CLOSE_ABNORMAL;
        link->failure_message = "the peer is silent: it does not answer the heartbeat";
        drop_link(c);
        break;
    default:
        break;
    }
}

/* This address has had its share of the time. If it has been reached, it is the one. */
static void leave_address(struct steady_client *c)
{
    struct steady_connection *connection = c->connection;
    c->attempt.deadline = INFINITY;
    if (connection && !steady_connection_reached(connection) && next_address(c))
        steady_connection_drop(connection);
}

static void check_time(struct steady_client *c)
{
    double now = steady_loop_time(c->loop);
    if (due(c->session.deadline, now)) {
        c->link.by_us = c->link.by_us || !c->link.code; /* close_timeout: we end it */
        if (change(c, STEADY_SESSION_DUE, -1) == STEADY_ACTION_TIME_OUT)
            time_out(c);
    } else if (c->session.status == STEADY_STATUS_CONNECTING && due(c->attempt.deadline, now)) {
        leave_address(c);
    } else if (c->link.linger > 0 && !c->link.lost && due(c->link.linger, now)) {
        drop_link(c);
    } else {
        check_heartbeat(c, now);
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
    if (has_heartbeat(c))
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
    if (unread(c) && !steady_protocol_hold(&c->link.protocol))
        c->link.lost = true; /* out of memory: bytes are missing, so the stream is of no more use */
    flush(c);
    if (unread(c) && can_deliver(c)) /* the pongs that delivery waited for have gone out */
        steady_ready_add(c->loop, &c->ready);
    if (c->link.lost && !unread(c))
        lose_link(c);
    if (c->connection && c->link.open)
        steady_connection_pause(c->connection, unread(c) || !can_deliver(c));
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

static void opened(void *owner, const struct steady_answer *answer,
                   const struct steady_buffer *headers)
{
    struct steady_client *c = owner;
    const char *protocol = answer->protocol;
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
    c->link.opened_at = c->link.heartbeat.heard = steady_loop_time(c->loop);
    c->stats.connections++;
    steady_protocol_init(&c->link.protocol, &c->loop->random, (size_t)c->options.max_message_size);
    steady_protocol_deflate(&c->link.protocol, &answer->compression);
    free(c->attempt.addresses);
    c->attempt.addresses = NULL;
    change(c, STEADY_SESSION_OPENED, 0);
}

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

static void ended(void *owner, const struct steady_end *end)
{
    struct steady_client *c = owner;
    c->connection = NULL;
    if (c->link.open)
        c->link.lost = true;
    else if (!end->unreachable || c->session.deadline == INFINITY || !next_address(c))
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
    c->latency = -1;
}

void steady_client_free(struct steady_client *c)
{
    drop_attempt(c);
    steady_url_free(&c->attempt.proxy);
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
    change(c, STEADY_SESSION_CONNECT, -1);
    return STEADY_OK;
}

/* The oldest message that has not begun to go out is given up. */
static bool drop_one(struct steady_client *c)
{
    bool dropped = steady_queue_drop(&c->queue) || steady_queue_drop(&c->front);
    c->stats.dropped += dropped;
    return dropped;
}

/* The same, if its time is over: it has waited while nothing could be sent. */
static bool drop_expired(struct steady_client *c)
{
    const struct steady_message *oldest = steady_queue_peek(&c->queue);
    return oldest && !c->queue.begun.block && oldest->expires <= steady_loop_time(c->loop) &&
           drop_one(c);
}

static bool fits(const struct steady_client *c, size_t bytes, size_t messages)
{
    const struct steady_queue_options *bounds = &c->options.queue;
    return (double)bytes <= bounds->max_bytes && (double)messages <= bounds->max_messages;
}

/* Whether a message fits in beside what must stay: what is part-way out, or sent and not yet
 * confirmed. */
static bool can_have_room(struct steady_client *c, size_t size)
{
    const struct steady_message *begun = c->queue.begun.block ? steady_queue_peek(&c->queue) : NULL;
    return fits(c, c->queue.sent_bytes + (begun ? begun->size : 0) + size,
                c->queue.sent_messages + (begun != NULL) + 1);
}

/* Makes room for a message; with overflow = "drop_oldest" at the cost of those queued before. */
static bool make_room(struct steady_client *c, size_t size)
{
    if (!can_have_room(c, size))
        return false;
    while (!fits(c, steady_client_queued_bytes(c) + c->queue.sent_bytes + size,
                 steady_client_queued_messages(c) + c->queue.sent_messages + 1))
        if (!drop_expired(c) &&
            (c->options.queue.overflow == STEADY_OVERFLOW_REFUSE || !drop_one(c)))
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
    double ttl = c->options.queue.ttl;
    if (!steady_queue_push(c->link.greeting ? &c->front : &c->queue, data, size, binary,
                           isinf(ttl) ? ttl : steady_loop_time(c->loop) + ttl))
        return STEADY_NETWORK;
    c->stats.accepted++;
    if ((double)steady_client_queued_bytes(c) > c->options.high_water)
        c->over_high_water = true;
    if (c->link.open && !c->delivering)
        steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

size_t steady_client_discard(struct steady_client *c)
{
    size_t count = 0;
    while (drop_one(c))
        count++;
    check_drain(c);
    return count;
}

enum steady_error steady_client_ping(struct steady_client *c, const uint8_t *data, size_t size)
{
    if (c->session.status != STEADY_STATUS_OPEN || c->link.code || c->link.failure || c->link.lost)
        return STEADY_NOT_CONNECTED;
    if (!steady_protocol_ping(&c->link.protocol, data, size))
        return STEADY_NETWORK;
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
    if (c->paused && !pause) /* its silence meanwhile was ours */
        c->link.heartbeat.heard = steady_loop_time(c->loop);
    c->paused = pause;
    steady_ready_add(c->loop, &c->ready);
}

/* ------------------------------------------------------------------------- the inbox */

bool steady_client_keep(struct steady_client *c, const struct steady_event *event)
{
    return steady_queue_push(&c->inbox, event->data, event->size, event->binary, INFINITY);
}

const struct steady_message *steady_client_take(struct steady_client *c)
{
    return steady_queue_peek(&c->inbox);
}

void steady_client_taken(struct steady_client *c)
{
    bool was_full = !can_deliver(c);
    steady_queue_sent(&c->inbox, false);
    if (was_full)
        steady_ready_add(c->loop, &c->ready);
}

/* ------------------------------------------------------------------------- figures */

size_t steady_client_queued_bytes(const struct steady_client *c)
{
    return c->queue.waiting_bytes + c->front.waiting_bytes;
}

size_t steady_client_queued_messages(const struct steady_client *c)
{
    return c->queue.waiting_messages + c->front.waiting_messages;
}

size_t steady_client_buffered(const struct steady_client *c)
{
    return steady_client_queued_bytes(c) +
           (c->connection ? steady_connection_buffered(c->connection) : 0);
}

struct steady_stats steady_client_stats(struct steady_client *c)
{
    struct steady_stats stats = c->stats;
    if (c->link.open)
        stats.connected += steady_loop_time(c->loop) - c->link.opened_at;
    return stats;
}
