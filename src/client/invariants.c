#include "client/invariants.h"

#ifdef STEADY_INVARIANTS

#include "client/link.h"
#include "client/outbox.h"

#include <assert.h>
#include <math.h>

/* Whether a implies b. */
#define IMPLIES(a, b) (!(a) || (b))

/* Checks that a session which waits for somebody has a deadline, and that the timer is set to that
 * deadline or an earlier time. An attempt that has not begun has no deadline, since it waits for
 * other attempts, which have deadlines. */
static void check_session(const struct steady_client *c, double next)
{
    enum steady_status status = c->session.status;
    bool timed = c->attempt.state >= STEADY_ATTEMPT_UNDER_WAY || status == STEADY_STATUS_WAITING ||
                 status == STEADY_STATUS_CLOSING;
    assert(timed == !isinf(c->session.deadline));
    assert(IMPLIES(timed, c->armed <= c->session.deadline));
    assert(IMPLIES(c->link.state == STEADY_LINK_LINGERING, c->armed <= c->link.linger));
    assert(IMPLIES(c->timer, c->armed <= next)); /* without one, it is idle */
    assert(IMPLIES(steady_session_active(&c->session), c->alive && c->timer));
}

static void check_attempt(const struct steady_client *c)
{
    const struct steady_attempt *attempt = &c->attempt;
    bool under_way = attempt->state == STEADY_ATTEMPT_UNDER_WAY;
    assert((c->session.status == STEADY_STATUS_CONNECTING) ==
           (attempt->state != STEADY_ATTEMPT_NONE));
    assert(under_way == (attempt->upgrade != NULL));
    assert((attempt->state == STEADY_ATTEMPT_QUEUED) == steady_lobby_has(&attempt->guest));
    assert(IMPLIES(steady_lobby_has(&attempt->guest),
                   c->shared->lobby.under_way == STEADY_ATTEMPTS_MAX));
    assert(IMPLIES(attempt->state == STEADY_ATTEMPT_DUE, c->ready.next));
    assert(IMPLIES(under_way, attempt->url));
}

static void check_link(const struct steady_client *c)
{
    const struct steady_link *link = &c->link;
    enum steady_link_state state = link->state;
    bool halted = steady_loop_is_halted(c->loop);
    bool up = c->session.status == STEADY_STATUS_OPEN || c->session.status == STEADY_STATUS_CLOSING;
    assert(up == (state != STEADY_LINK_NONE));
    assert(IMPLIES(state == STEADY_LINK_NONE, !link->stream));
    assert(IMPLIES(state == STEADY_LINK_NEW, !steady_events_empty(&c->events)));
    assert(IMPLIES(state == STEADY_LINK_GREETING, halted));
    assert(IMPLIES(state == STEADY_LINK_OPEN, link->stream && !link->protocol.closing));
    assert(IMPLIES(state == STEADY_LINK_CLOSING, link->stream && link->by_us &&
                                                     link->protocol.closing &&
                                                     c->session.status == STEADY_STATUS_CLOSING));
    assert(IMPLIES(state == STEADY_LINK_LINGERING, link->stream && (link->code || link->failure)));
    assert(IMPLIES(state == STEADY_LINK_LOST, !link->stream && steady_link_unread(c)));
    /* Unread bytes are in the protocol's own memory, because the stream's memory is used again. */
    assert(IMPLIES(steady_link_unread(c), link->protocol.held.size));
}

/* Checks that each message is counted in exactly one place. */
static void check_outbox(const struct steady_client *c)
{
    const struct steady_stats *stats = &c->stats;
    const struct steady_queue *queue = &c->queue;
    assert(stats->accepted ==
           stats->sent - stats->resent + steady_outbox_messages(c) + stats->dropped);
    assert(IMPLIES(c->options.confirm,
                   stats->sent - stats->resent ==
                       stats->confirmed + queue->sent_messages + stats->greetings));
    assert(IMPLIES(!c->options.confirm, !queue->sent_messages));
    assert(IMPLIES(!steady_client_has_link(c), !queue->sent_messages && !queue->begun.block));
    assert(IMPLIES(!steady_client_has_link(c), !c->greetings.waiting_messages));
    assert(!c->greetings.sent_messages); /* what belongs to a connection is not confirmed */
    assert(IMPLIES(c->session.status == STEADY_STATUS_CLOSED && c->user_closed,
                   !steady_outbox_messages(c)));
}

void steady_client_check(const struct steady_client *c, double next)
{
    check_session(c, next);
    check_attempt(c);
    check_link(c);
    check_outbox(c);
}

#endif
