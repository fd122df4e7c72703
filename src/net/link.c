#include "net/parts.h"

#include <stdlib.h>
#include <string.h>

/* Seconds that the peer has to end the TCP connection after its close frame, or after a failure.
 * Ending it is the server's part (RFC 6455 section 7.1.1). */
#define LINGER 1.0

/* Writes in a row for one client before others have a turn. */
#define WRITES_A_TURN 4

/* Bytes of pongs that wait to go out before reading stops. */
#define PONG_BACKLOG (64 * 1024)

/* ------------------------------------------------------------------------- its end */

struct steady_event steady_link_close_event(const struct steady_client *c, double delay)
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
void steady_link_end(struct steady_client *c, double delay)
{
    if (!c->link.open)
        return;
    struct steady_event event = steady_link_close_event(c, delay);
    steady_events_push(&c->events, &event);
    c->stats.last_close = event.code;
    steady_stream_free(c->link.stream);
    steady_protocol_free(&c->link.protocol);
    free(c->link.reason);
    c->stats.connected += steady_loop_time(c->loop) - c->link.opened_at;
    c->stats.resent += c->queue.sent_messages;
    c->link = (struct steady_link){0};
    steady_queue_rewind(&c->queue);
    steady_queue_prepend(&c->queue, &c->front);
}

/* Ends the connection from our side, as if TCP had ended. */
void steady_link_drop(struct steady_client *c)
{
    steady_stream_free(c->link.stream);
    c->link.stream = NULL;
    c->link.lost = true;
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
 * covers what is sent until then. Behind a ping by hand it is asked once more, since the peer may
 * answer the last ping only. Our close frame needs none: its answer confirms as well. Returns
 * whether there is one to go out. */
static bool ask_for_confirmation(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    uint8_t payload[STEADY_HEARTBEAT_PING];
    bool asked = link->heartbeat.covers && !link->heartbeat.overtaken;
    if (!c->options.confirm || asked || !c->queue.sent_messages || link->code || link->by_us ||
        link->failure)
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
                               c->loop->write_buffer, STEADY_WRITE_SIZE);
    expired = protocol->expired - expired;
    c->stats.dropped += expired;
    c->stats.sent += waiting - c->queue.waiting_messages - expired;
    c->stats.bytes_sent += size;
    if (c->watched && !c->queue.waiting_messages && waiting)
        steady_ready_add(c->loop, &c->ready);
    bool written = size && steady_stream_write(c->link.stream, size);
    return ask_for_confirmation(c) || written;
}

static bool can_write(const struct steady_client *c)
{
    return c->link.greeted && c->link.stream && steady_stream_can_write(c->link.stream);
}

/* Whether what waits fills a write. What is to be compressed counts as it is. */
static bool has_full_write(const struct steady_client *c)
{
    const struct steady_queue *queue = &c->queue;
    return queue->waiting_bytes - c->link.protocol.message_sent +
               STEADY_FRAME_HEADER_MAX * queue->waiting_messages >=
           STEADY_WRITE_SIZE;
}

/* As much as one write takes does not wait for the loop: it goes out while the processor's cache
 * still has it, and a program that sends without a break needs no more memory than that. */
void steady_link_flush_full(struct steady_client *c)
{
    bool more = true;
    for (int i = 0; more && i < WRITES_A_TURN && has_full_write(c) && can_write(c); i++)
        more = write_some(c);
}

void steady_link_flush(struct steady_client *c)
{
    struct steady_stream *stream = c->link.stream;
    if (!c->link.greeted || !stream)
        return;
    bool more = true;
    for (int i = 0; more && i < WRITES_A_TURN && steady_stream_can_write(stream); i++)
        more = write_some(c) || (begin_closing(c) && write_some(c));
    if (more)
        steady_stream_want_writable(stream);
    steady_client_check_drain(c);
}

/* The peer hears that we go, if it can be told at once. */
void steady_link_say_goodbye(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    if (!link->open || link->code || link->failure)
        return;
    link->by_us = true;
    if (steady_protocol_close(&link->protocol, STEADY_CLOSE_NORMAL, NULL, 0) && link->stream &&
        steady_stream_can_write(link->stream))
        write_some(c);
}

/* ------------------------------------------------------------------------- receiving */

/* The OPEN event has been handled: what was sent meanwhile goes first. */
void steady_link_end_greeting(struct steady_client *c)
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
    if (latency >= 0)
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

static bool wants_messages(const struct steady_client *c)
{
    bool empty = c->inbox.waiting_messages == 0; /* as it is wherever there is an on_message */
    return !c->paused && (empty || steady_client_inbox_has_room(c));
}

/* Behind our close frame everything is read, so that the peer's is found: what nobody wants by then
 * is dropped. */
bool steady_link_can_deliver(const struct steady_client *c)
{
    bool closing = c->session.status == STEADY_STATUS_CLOSING && c->link.by_us;
    return c->link.greeted && (closing || wants_messages(c)) &&
           (c->link.lost || steady_protocol_backlog(&c->link.protocol) < PONG_BACKLOG);
}

bool steady_link_next(struct steady_client *c, struct steady_event *event)
{
    struct steady_protocol_event next;
    while (steady_link_can_deliver(c)) {
        switch (steady_protocol_next(&c->link.protocol, &next)) {
        case STEADY_PROTOCOL_MESSAGE:
            if (is_reply(c, &next) || !wants_messages(c))
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

size_t steady_link_unread(const struct steady_client *c)
{
    return c->link.open ? steady_protocol_pending(&c->link.protocol) : 0;
}

/* ------------------------------------------------------------------------- the heartbeat */

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
bool steady_link_has_heartbeat(const struct steady_client *c)
{
    return c->session.status == STEADY_STATUS_OPEN && c->link.greeted && !c->link.lost &&
           !c->link.code && !c->link.failure && steady_link_can_deliver(c);
}

/* Before the verdict, once more around the loop: a handler may have kept it from reading what came
 * in time. It polls between one pass and the next but one, see steady_loop. */
static bool has_looked(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    if (!link->doubted)
        link->doubted = c->loop->passes;
    return c->loop->passes - link->doubted >= 2;
}

void steady_link_check_heartbeat(struct steady_client *c, double now)
{
    struct steady_link *link = &c->link;
    if (!steady_link_has_heartbeat(c))
        return;
    switch (steady_heartbeat_check(&link->heartbeat, &c->options.heartbeat, now + CLOCK_STEP)) {
    case STEADY_HEARTBEAT_ASK:
        ask_for_life(c);
        break;
    case STEADY_HEARTBEAT_DEAD:
        if (!has_looked(c)) {
            steady_ready_add(c->loop, &c->ready);
            break;
        }
        link->failure = STEADY_HEARTBEAT;
        link->failure_code = STEADY_CLOSE_ABNORMAL;
        link->failure_message = "the peer is silent: it does not answer the heartbeat";
        steady_link_drop(c);
        break;
    default:
        link->doubted = 0;
    }
}
