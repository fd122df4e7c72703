#include "client/sending.h"

#include "client/link.h"
#include "client/outbox.h"
#include "client/receiving.h"
#include "client/trace.h"
#include "core/frame.h"

#include <math.h>
#include <string.h>

/* A client makes at most this many writes in a row; then other clients have their turn. */
#define WRITES_A_TURN 4

/* ------------------------------------------------------------------------- messages */

/* Queues our close frame, if close() was called and the link is open. Everything that was queued
 * must have gone out. Returns whether there is a close frame to go out. */
static bool begin_closing(struct steady_client *c)
{
    if (c->session.status != STEADY_STATUS_CLOSING || c->link.state != STEADY_LINK_OPEN)
        return false;
    steady_link_begin_closing(c);
    return steady_protocol_close(&c->link.protocol, c->close_code, c->close_reason,
                                 c->close_reason ? strlen(c->close_reason) : 0);
}

/* Queues a ping of the heartbeat. Its pong shows that the peer is alive, and confirms messages.
 * Returns false when memory is out. Then the question counts as one that the peer has not answered:
 * it is asked again, or the peer is given up. */
static bool ask(struct steady_client *c)
{
    uint8_t payload[STEADY_HEARTBEAT_PING];
    steady_heartbeat_ask(&c->link.heartbeat, &c->options.heartbeat, c->queue.sent_messages,
                         steady_loop_now(c->loop), payload);
    bool queued = steady_protocol_ping(&c->link.protocol, payload, sizeof payload);
    c->stats.pings += queued;
    return queued;
}

/* Queues a ping behind the messages that were sent. Its pong confirms that the peer has read these
 * messages. Only one such ping is unanswered at a time, and the next one covers what is sent until
 * then. When the program has sent a ping of its own after the question, the question is asked once
 * more, because the peer may answer only the last ping. After our close frame no ping is needed,
 * because the peer's close frame confirms as well. Returns whether there is a ping to go out. */
static bool ask_for_confirmation(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    bool asked = link->heartbeat.covers && !link->heartbeat.program_pinged;
    if (!c->options.confirm || asked || !c->queue.sent_messages || link->state != STEADY_LINK_OPEN)
        return false;
    STEADY_DEBUG(&c->trace, "confirmation: a ping goes out behind %zu messages",
                 c->queue.sent_messages);
    return ask(c);
}

/* Makes one write of as much as fits. Returns false when there is nothing to write, when the stream
 * takes no more, or when the connection is lost. */
static bool write_some(struct steady_client *c)
{
    struct steady_protocol *protocol = &c->link.protocol;
    struct steady_queue *queue = steady_outbox_first(c);
    bool keep = c->options.confirm && queue == &c->queue;
    size_t waiting = queue->waiting_messages;
    uint64_t expired = protocol->expired;
    bool traced = steady_client_traces_sent(c);
    size_t size = steady_protocol_output(protocol, queue, keep, steady_loop_now(c->loop),
                                         steady_stream_room(c->link.stream), STEADY_WRITE_SIZE);
    expired = protocol->expired - expired;
    c->stats.dropped += expired;
    uint64_t sent = waiting - queue->waiting_messages - expired;
    c->stats.sent += sent;
    c->stats.greetings += queue == &c->greetings ? sent : 0;
    c->stats.bytes_sent += size;
    if (traced)
        steady_client_trace_sent(c, steady_stream_room(c->link.stream), size);
    if (c->watched && waiting && !steady_outbox_messages(c))
        steady_ready_add(c->loop, &c->ready);
    bool written = size && steady_stream_write(c->link.stream, size);
    return ask_for_confirmation(c) || (written && c->link.stream);
}

static bool can_write(const struct steady_client *c)
{
    return steady_link_can_send(c) && steady_stream_can_write(c->link.stream);
}

/* Returns whether the queued messages fill one write. A message that will be compressed counts with
 * its uncompressed size. */
static bool has_full_write(struct steady_client *c)
{
    const struct steady_queue *queue = steady_outbox_first(c);
    return queue->waiting_bytes - c->link.protocol.message_sent +
               STEADY_FRAME_HEADER_MAX * queue->waiting_messages >=
           STEADY_WRITE_SIZE;
}

/* A full write does not wait for the loop. It goes out while the processor's cache still has the
 * messages, and a program that sends without a break does not fill the queue. */
void steady_sending_flush_full(struct steady_client *c)
{
    bool more = true;
    for (int i = 0; more && i < WRITES_A_TURN && has_full_write(c) && can_write(c); i++)
        more = write_some(c);
}

void steady_sending_flush(struct steady_client *c)
{
    if (!steady_link_can_send(c))
        return;
    bool more = true;
    for (int i = 0; more && i < WRITES_A_TURN && can_write(c); i++)
        more = write_some(c) || (can_write(c) && begin_closing(c) && write_some(c));
    if (more)
        steady_stream_want_writable(c->link.stream);
    steady_outbox_check_drain(c);
}

void steady_sending_close_at_once(struct steady_client *c, uint16_t code, const char *reason,
                                  size_t size)
{
    struct steady_link *link = &c->link;
    if (link->state < STEADY_LINK_NEW || link->state > STEADY_LINK_CLOSING)
        return;
    steady_link_begin_closing(c);
    if (steady_protocol_close(&link->protocol, code, reason, size) && link->stream &&
        steady_stream_can_write(link->stream))
        write_some(c);
}

/* ------------------------------------------------------------------------- questions */

bool steady_sending_ping(struct steady_client *c, const uint8_t *data, size_t size)
{
    if (!steady_protocol_ping(&c->link.protocol, data, size))
        return false;
    c->link.heartbeat.program_pinged = true;
    c->stats.pings++;
    return true;
}

/* A peer that sends pings and does not read our pongs is asked as well, although nothing is read
 * from it meanwhile. */
static bool asks(const struct steady_client *c)
{
    return c->session.status == STEADY_STATUS_OPEN && c->link.state == STEADY_LINK_OPEN &&
           steady_receiving_wanted(c);
}

double steady_sending_heartbeat_deadline(const struct steady_client *c)
{
    return asks(c) ? steady_heartbeat_deadline(&c->link.heartbeat, &c->options.heartbeat)
                   : INFINITY;
}

/* A ping that has not gone out yet needs no other one. */
double steady_sending_repetition_deadline(const struct steady_client *c)
{
    bool waits = asks(c) && !steady_protocol_backlog(&c->link.protocol);
    return waits ? steady_heartbeat_repetition(&c->link.heartbeat) : INFINITY;
}

void steady_sending_repeat(struct steady_client *c, double now)
{
    STEADY_DEBUG(&c->trace,
                 "confirmation: no pong has come within %.3f s, so another ping goes out",
                 now - c->link.heartbeat.pinged);
    ask(c);
}

static void ask_whether_alive(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    const char *message = c->options.heartbeat.message;
    if (!message) {
        STEADY_DEBUG(&c->trace, "heartbeat: nothing has come for %.3f s, so a ping goes out",
                     steady_loop_now(c->loop) - link->heartbeat.heard);
        ask(c);
        return;
    }
    STEADY_DEBUG(&c->trace, "heartbeat: the last message went out %.3f s ago, so the next one does",
                 steady_loop_now(c->loop) - link->heartbeat.texted);
    steady_heartbeat_ask_by_text(&link->heartbeat, steady_loop_now(c->loop));
    steady_protocol_text(&link->protocol, (const uint8_t *)message, strlen(message));
}

void steady_sending_check_heartbeat(struct steady_client *c, double now)
{
    struct steady_link *link = &c->link;
    switch (steady_heartbeat_check(&link->heartbeat, &c->options.heartbeat, now)) {
    case STEADY_HEARTBEAT_ASK:
        ask_whether_alive(c);
        break;
    case STEADY_HEARTBEAT_DEAD:
        STEADY_DEBUG(&c->trace, "heartbeat: no sign of life within %g s",
                     c->options.heartbeat.timeout);
        link->failure = STEADY_HEARTBEAT;
        link->failure_code = STEADY_CLOSE_ABNORMAL;
        link->failure_message = "the peer is silent: it does not answer the heartbeat";
        steady_link_drop(c);
        break;
    default:
        break;
    }
}
