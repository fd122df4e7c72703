#include "client/link.h"

#include "core/number.h"

#include <stdlib.h>

/* The seconds that the peer has to end the TCP connection after its close frame, or after a
 * failure. */
#define LINGER 1.0

void steady_link_begin(struct steady_client *c, const struct steady_accepted *accepted,
                       const struct steady_stream_owner *calls)
{
    c->link = (struct steady_link){.state = STEADY_LINK_NEW, .stream = accepted->stream};
    steady_stream_give(accepted->stream, calls, c);
    c->link.opened_at = steady_loop_exact_time(c->loop);
    c->link.heartbeat.heard = c->link.heartbeat.texted = c->link.opened_at;
    steady_protocol_init(&c->link.protocol, &c->shared->random,
                         steady_size(c->options.max_message_size));
    steady_protocol_deflate(&c->link.protocol, &accepted->answer->compression);
    c->stats.connections++;
}

void steady_link_greet(struct steady_client *c)
{
    if (c->link.state == STEADY_LINK_NEW)
        c->link.state = STEADY_LINK_GREETING;
}

void steady_link_end_greeting(struct steady_client *c)
{
    if (c->link.state != STEADY_LINK_GREETING)
        return;
    c->link.state = c->link.stream ? STEADY_LINK_OPEN : STEADY_LINK_LOST;
}

bool steady_link_can_send(const struct steady_client *c)
{
    return c->link.state >= STEADY_LINK_OPEN && c->link.stream;
}

void steady_link_begin_closing(struct steady_client *c)
{
    c->link.by_us = true;
    if (c->link.state == STEADY_LINK_OPEN)
        c->link.state = STEADY_LINK_CLOSING;
}

void steady_link_linger(struct steady_client *c)
{
    if (c->link.state != STEADY_LINK_OPEN && c->link.state != STEADY_LINK_CLOSING)
        return;
    c->link.state = STEADY_LINK_LINGERING;
    c->link.linger = steady_loop_exact_time(c->loop) + LINGER;
}

void steady_link_drop(struct steady_client *c)
{
    steady_stream_free(c->link.stream);
    c->link.stream = NULL;
    if (c->link.state >= STEADY_LINK_OPEN) /* otherwise steady_link_end_greeting does this */
        c->link.state = STEADY_LINK_LOST;
}

void steady_link_lose_stream(struct steady_client *c)
{
    struct steady_link *link = &c->link;
    steady_stream_explain(link->stream, &link->cause);
    if (link->cause.error && !link->failure) {
        link->failure = link->cause.error;
        link->failure_code = STEADY_CLOSE_ABNORMAL;
        link->failure_message = steady_cause_text(&link->cause);
    }
    steady_link_drop(c);
}

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
        .by = link->cause.error              ? STEADY_BY_NETWORK
              : link->failure || link->by_us ? STEADY_BY_US
              : link->code                   ? STEADY_BY_PEER
                                             : STEADY_BY_NETWORK,
        .delay = delay,
    };
}

void steady_link_end(struct steady_client *c, double delay)
{
    if (!steady_client_has_link(c))
        return;
    struct steady_event event = steady_link_close_event(c, delay);
    steady_client_tell(c, &event);
    c->stats.last_close = event.code;
    c->stats.connected += steady_loop_exact_time(c->loop) - c->link.opened_at;
    c->stats.resent += c->queue.sent_messages;
    steady_link_free(c);
    steady_queue_rewind(&c->queue);
    c->stats.dropped += steady_queue_clear(&c->greetings);
}

void steady_link_free(struct steady_client *c)
{
    if (!steady_client_has_link(c))
        return;
    steady_stream_free(c->link.stream);
    steady_protocol_free(&c->link.protocol);
    free(c->link.reason);
    steady_cause_free(&c->link.cause);
    c->link = (struct steady_link){.state = STEADY_LINK_NONE};
}

size_t steady_link_unread(const struct steady_client *c)
{
    return steady_client_has_link(c) ? steady_protocol_pending(&c->link.protocol) : 0;
}
