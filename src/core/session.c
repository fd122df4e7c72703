#include "core/session.h"

#include <math.h>

static const char *const names[STEADY_STATUSES] = {
    [STEADY_STATUS_IDLE] = "idle",       [STEADY_STATUS_CONNECTING] = "connecting",
    [STEADY_STATUS_OPEN] = "open",       [STEADY_STATUS_WAITING] = "waiting",
    [STEADY_STATUS_CLOSING] = "closing", [STEADY_STATUS_CLOSED] = "closed",
};

const char *steady_status_name(enum steady_status status)
{
    return names[status];
}

int steady_session_active(const struct steady_session *session)
{
    return session->status != STEADY_STATUS_IDLE && session->status != STEADY_STATUS_CLOSED;
}

/* Returns how many attempts in a row would have failed if the present attempt or connection ended
 * now. A connection that lasts less than min_uptime counts as a failure, so that a server which
 * accepts and drops connections is not called all the time. */
static unsigned failures(const struct steady_session *session, double now)
{
    int lasted = session->status == STEADY_STATUS_OPEN &&
                 now - session->opened_at >= session->options->min_uptime;
    return lasted ? 0 : session->attempt;
}

double steady_session_delay(const struct steady_session *session, double now, double random)
{
    const struct steady_session_options *options = session->options;
    unsigned failed = failures(session, now);
    if (session->status == STEADY_STATUS_CLOSING || !options->reconnect ||
        failed >= options->max_attempts)
        return -1;
    return steady_backoff_delay(&options->backoff, failed, random);
}

static enum steady_session_action enter(struct steady_session *session, enum steady_status status,
                                        double deadline, enum steady_session_action action)
{
    session->status = status;
    session->deadline = deadline;
    return action;
}

static enum steady_session_action attempt(struct steady_session *session, unsigned number)
{
    session->attempt = number;
    return enter(session, STEADY_STATUS_CONNECTING, INFINITY, STEADY_ACTION_ATTEMPT);
}

static enum steady_session_action closed(struct steady_session *session,
                                         enum steady_session_action action)
{
    return enter(session, STEADY_STATUS_CLOSED, INFINITY, action);
}

/* Handles the end of an attempt or an open connection that the user did not ask for. */
static enum steady_session_action ended(struct steady_session *session, double now, double delay)
{
    session->attempt = failures(session, now);
    if (delay < 0)
        return closed(session, STEADY_ACTION_NONE);
    return enter(session, STEADY_STATUS_WAITING, now + delay, STEADY_ACTION_NONE);
}

static enum steady_session_action at_rest(struct steady_session *session,
                                          enum steady_session_event event)
{
    if (event == STEADY_SESSION_CONNECT)
        return attempt(session, 1);
    if (event == STEADY_SESSION_CLOSE)
        return closed(session, STEADY_ACTION_NONE);
    return STEADY_ACTION_NONE;
}

static enum steady_session_action connecting(struct steady_session *session,
                                             enum steady_session_event event, double now,
                                             double delay)
{
    switch (event) {
    case STEADY_SESSION_BEGUN:
        session->deadline = now + session->options->connect_timeout;
        return STEADY_ACTION_NONE;
    case STEADY_SESSION_OPENED:
        session->opened_at = now;
        return enter(session, STEADY_STATUS_OPEN, INFINITY, STEADY_ACTION_NONE);
    case STEADY_SESSION_FAILED:
        return ended(session, now, delay);
    case STEADY_SESSION_DUE:
        session->deadline = INFINITY;
        return STEADY_ACTION_TIME_OUT;
    case STEADY_SESSION_RECONNECT:
        return attempt(session, 1);
    case STEADY_SESSION_CLOSE:
        return closed(session, STEADY_ACTION_DROP);
    default:
        return STEADY_ACTION_NONE;
    }
}

static enum steady_session_action open(struct steady_session *session,
                                       enum steady_session_event event, double now, double delay)
{
    switch (event) {
    case STEADY_SESSION_LOST:
        return ended(session, now, delay);
    case STEADY_SESSION_RECONNECT:
        return attempt(session, 1);
    case STEADY_SESSION_CLOSE:
        return enter(session, STEADY_STATUS_CLOSING, now + session->options->close_timeout,
                     STEADY_ACTION_FINISH);
    default:
        return STEADY_ACTION_NONE;
    }
}

static enum steady_session_action waiting(struct steady_session *session,
                                          enum steady_session_event event)
{
    switch (event) {
    case STEADY_SESSION_DUE:
        return attempt(session, session->attempt + 1);
    case STEADY_SESSION_RECONNECT:
        return attempt(session, 1);
    case STEADY_SESSION_CLOSE:
        return closed(session, STEADY_ACTION_NONE);
    default:
        return STEADY_ACTION_NONE;
    }
}

static enum steady_session_action closing(struct steady_session *session,
                                          enum steady_session_event event)
{
    if (event == STEADY_SESSION_LOST)
        return closed(session, STEADY_ACTION_NONE);
    if (event == STEADY_SESSION_DUE)
        return closed(session, STEADY_ACTION_DROP);
    return STEADY_ACTION_NONE;
}

/* The delay between attempts is not put off, since the client does not wait for a peer then. */
void steady_session_put_off(struct steady_session *session, double seconds)
{
    if (session->status == STEADY_STATUS_CONNECTING || session->status == STEADY_STATUS_CLOSING)
        session->deadline += seconds;
}

enum steady_session_action steady_session_handle(struct steady_session *session,
                                                 enum steady_session_event event, double now,
                                                 double delay)
{
    switch (session->status) {
    case STEADY_STATUS_IDLE:
    case STEADY_STATUS_CLOSED:
        return at_rest(session, event);
    case STEADY_STATUS_CONNECTING:
        return connecting(session, event, now, delay);
    case STEADY_STATUS_OPEN:
        return open(session, event, now, delay);
    case STEADY_STATUS_WAITING:
        return waiting(session, event);
    case STEADY_STATUS_CLOSING:
        return closing(session, event);
    default:
        return STEADY_ACTION_NONE;
    }
}
