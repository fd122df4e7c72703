#include "client/receiving.h"

#include "client/inbox.h"
#include "client/link.h"
#include "client/trace.h"

#include <stdlib.h>
#include <string.h>

/* Reading stops when this many bytes of pongs wait to go out. */
#define PONG_BACKLOG (64 * 1024)

void steady_receiving_input(struct steady_client *c, const uint8_t *bytes, size_t size)
{
    c->link.heartbeat.heard = steady_loop_now(c->loop);
    c->stats.bytes_received += size;
    steady_client_trace_received(c, bytes, size);
    steady_protocol_input(&c->link.protocol, bytes, size);
}

void steady_receiving_keep(struct steady_client *c)
{
    if (!steady_link_unread(c) || steady_protocol_hold(&c->link.protocol))
        return;
    steady_protocol_forget(&c->link.protocol);
    steady_link_drop(c);
}

static void peer_closes(struct steady_client *c, const struct steady_protocol_event *event)
{
    struct steady_link *link = &c->link;
    STEADY_DEBUG(&c->trace, "the server's close frame has come, with code %u%s", event->code,
                 link->by_us ? "; it answers ours" : "");
    if (link->by_us) { /* the peer answers our close frame, so it has read everything that we sent
                          before */
        c->stats.confirmed += c->queue.sent_messages;
        steady_queue_confirm(&c->queue, c->queue.sent_messages);
    }
    link->code = event->code;
    link->reason = malloc(event->size + 1);
    steady_link_linger(c);
    if (!link->reason)
        return; /* without memory only the reason is missing */
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
    STEADY_DEBUG(&c->trace, "the connection fails with code %u: %s", event->code,
                 link->failure_message);
    steady_link_linger(c);
}

static void trace_pong(struct steady_client *c, double latency, size_t confirmed)
{
    if (latency >= 0)
        STEADY_DEBUG(&c->trace, "a pong has come, %.3f s after its ping; it confirms %zu messages",
                     latency, confirmed);
    else
        STEADY_DEBUG(&c->trace, "a pong has come to an earlier ping; it confirms %zu messages",
                     confirmed);
}

/* Returns whether a pong is for the owner. The answer to a ping of the heartbeat or of confirmed
 * delivery is not: it confirms messages. Any other pong may answer a ping that the program has
 * sent. */
static bool is_for_owner(struct steady_client *c, const struct steady_protocol_event *pong)
{
    double latency;
    size_t confirmed;
    c->stats.pongs++;
    if (!steady_heartbeat_pong(&c->link.heartbeat, pong->data, pong->size, steady_loop_now(c->loop),
                               &latency, &confirmed))
        return true;
    trace_pong(c, latency, confirmed);
    if (latency >= 0)
        c->latency = latency;
    c->stats.confirmed += confirmed;
    steady_queue_confirm(&c->queue, confirmed);
    return false;
}

/* Returns whether a message is the heartbeat's reply, which answers the heartbeat's message. Such a
 * message is handled here and is not for the owner. */
static bool is_reply(struct steady_client *c, const struct steady_protocol_event *message)
{
    const char *reply = c->options.heartbeat.on ? c->options.heartbeat.reply : NULL;
    if (!reply || message->binary || strlen(reply) != message->size ||
        memcmp(reply, message->data, message->size) != 0)
        return false;
    if (c->link.heartbeat.asked > 0) {
        c->latency = steady_loop_now(c->loop) - c->link.heartbeat.asked;
        STEADY_DEBUG(&c->trace, "heartbeat: the reply has come after %.3f s", c->latency);
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

bool steady_receiving_wanted(const struct steady_client *c)
{
    bool empty = c->inbox.waiting_messages == 0; /* always true with an on_message handler */
    return !c->paused && (empty || steady_inbox_has_room(c));
}

/* After our close frame everything is read, so that the peer's close frame is found. Messages that
 * the owner does not want are dropped then. */
bool steady_receiving_can_deliver(const struct steady_client *c)
{
    const struct steady_link *link = &c->link;
    bool closing = c->session.status == STEADY_STATUS_CLOSING && link->by_us;
    return link->state >= STEADY_LINK_OPEN && (closing || steady_receiving_wanted(c)) &&
           (!link->stream || steady_protocol_backlog(&link->protocol) < PONG_BACKLOG);
}

bool steady_receiving_next(struct steady_client *c, struct steady_event *event)
{
    struct steady_protocol_event next;
    while (steady_receiving_can_deliver(c)) {
        switch (steady_protocol_next(&c->link.protocol, &next)) {
        case STEADY_PROTOCOL_MESSAGE:
            if (is_reply(c, &next) || !steady_receiving_wanted(c))
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
