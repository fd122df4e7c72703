#include "client/door.h"

#include "client/change.h"
#include "client/deadlines.h"
#include "client/invariants.h"
#include "client/link.h"
#include "client/receiving.h"
#include "client/sending.h"

/* A client delivers its events at most this many times in one turn; then the other clients have
 * their turn. Otherwise handlers that cause events for other handlers could hold up the loop. */
#define DELIVERIES_A_TURN 8

bool steady_door_next(struct steady_client *c, struct steady_event *event)
{
    steady_link_end_greeting(c);
    bool waiting = !steady_events_empty(&c->events);
    if (waiting && c->batch == 0)
        return false;
    c->batch -= waiting;
    /* Popping also frees the event that was handed out last, which is `current`. */
    if ((!waiting && !c->events.current) || !steady_events_pop(&c->events, event))
        return steady_receiving_next(c, event);
    c->telling_end = (event->type == STEADY_EVENT_CLOSE || event->type == STEADY_EVENT_ERROR) &&
                     event->delay < 0;
    if (event->type == STEADY_EVENT_OPEN)
        steady_link_greet(c);
    else if (event->type == STEADY_EVENT_STATUS)
        c->told_status = event->status;
    else if (event->type == STEADY_EVENT_INCOMPLETE)
        c->told_status =
            c->session.status; /* the STATUS event may be among those that are missing */
    return true;
}

/* Returns whether there is something to deliver. When `watched` is set, the owner is told of the
 * end of each delivery. So a delivery that an error of a handler has cut short is finished later,
 * even when no event is left. */
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

/* Hands the events to the owner, and then sends what the owner has queued. */
static void exchange(struct steady_client *c)
{
    deliver(c);
    steady_receiving_keep(c);
    steady_sending_flush(c);
    bool unread = steady_link_unread(c) > 0;
    if (unread && steady_receiving_can_deliver(c)) /* reading had stopped until pongs went out */
        steady_ready_add(c->loop, &c->ready);
    if (c->link.state == STEADY_LINK_LOST && !unread)
        steady_client_lose_link(c);
}

/* Sets the stream and the timer to what the client waits for now. Releases a client that is not
 * active and has no more events, so that its owner need not keep it any longer. */
static void settle(struct steady_client *c)
{
    if (c->link.stream)
        steady_stream_pause(c->link.stream,
                            steady_link_unread(c) || !steady_receiving_can_deliver(c));
    steady_deadlines_arm(c);
    if (!steady_loop_is_foreign(c->loop))
        steady_client_check(c, steady_deadlines_next(c));
    if (has_news(c))
        steady_ready_add(c->loop, &c->ready);
    else if (c->alive && !steady_session_active(&c->session)) {
        c->alive = false;
        c->loop->alive--;
        c->owner->release(c);
    }
}

bool steady_door_enter(struct steady_client *c)
{
    bool first = !c->entered;
    c->entered = true;
    return first;
}

void steady_door_leave(struct steady_client *c, bool first)
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
