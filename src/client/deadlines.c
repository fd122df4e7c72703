#include "client/deadlines.h"

#include "client/attempt.h"
#include "client/change.h"
#include "client/link.h"
#include "client/outbox.h"
#include "client/sending.h"
#include "client/trace.h"

#include <math.h>

/* A timer that fires up to this many seconds early is on time, because the loop's clock counts
 * milliseconds. */
#define CLOCK_STEP 0.0005

static double session_deadline(const struct steady_client *c)
{
    return c->session.deadline;
}

static void session_due(struct steady_client *c, double now)
{
    (void)now;
    if (steady_client_has_link(c) && !c->link.code) { /* close_timeout is over: we end the link */
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

/* The table has each kind of deadline, with the function that is called when such a deadline has
 * passed. States that are not in the table end only by a call of the owner or by the peer. These
 * states are a client that is idle or closed, one that is open without a heartbeat, and one that is
 * paused. An attempt that has not begun waits until another client's attempt ends, which has a
 * deadline. */
static const struct {
    double (*when)(const struct steady_client *client); /* INFINITY when there is none now */
    void (*due)(struct steady_client *client, double now);
} deadlines[] = {
    /* connect_timeout, the delay between attempts, or close_timeout */
    {session_deadline, session_due},
    {linger_deadline, linger_due},
    {steady_sending_heartbeat_deadline, steady_sending_check_heartbeat},
    {steady_sending_repetition_deadline, steady_sending_repeat},
    {steady_outbox_deadline, steady_outbox_check_expiry},
};

#define DEADLINES (sizeof deadlines / sizeof *deadlines)

/* Puts off the deadlines that wait for the peer by the time during which the loop was kept from
 * polling, because the client could not hear the peer then (see steady_loop_absent). */
static void put_off(struct steady_client *c)
{
    double absent = steady_loop_absent(c->loop);
    steady_session_put_off(&c->session, absent - c->absent);
    steady_heartbeat_put_off(&c->link.heartbeat, absent - c->absent);
    c->absent = absent;
}

void steady_deadlines_check(struct steady_client *c)
{
    put_off(c);
    double now = steady_loop_handled_until(c->loop) + CLOCK_STEP;
    for (size_t i = 0; i < DEADLINES; i++)
        if (deadlines[i].when(c) <= now)
            deadlines[i].due(c, now);
}

double steady_deadlines_next(const struct steady_client *c)
{
    double next = INFINITY;
    for (size_t i = 0; i < DEADLINES; i++)
        next = fmin(next, deadlines[i].when(c));
    return next;
}

/* A timer that is set too early stays as it is. It does no harm when it fires, and setting it anew
 * would be much work, since each byte that arrives moves the heartbeat's deadline. */
void steady_deadlines_arm(struct steady_client *c)
{
    double next = steady_deadlines_next(c);
    if (!c->timer || next == c->armed || (c->armed < next && !isinf(next)))
        return;
    c->armed = next;
    if (isinf(next))
        steady_timer_stop(c->timer);
    else
        steady_timer_start(c->timer, next - steady_loop_exact_time(c->loop));
}
