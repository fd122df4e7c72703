#include "client/change.h"

#include "client/attempt.h"
#include "client/link.h"
#include "core/retry_after.h"
#include "loop/random.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

/* The seconds for which a Retry-After header is obeyed at most. */
#define MAX_RETRY_AFTER 3600

enum steady_session_action steady_client_change(struct steady_client *c,
                                                enum steady_session_event event, double delay)
{
    enum steady_status old = c->session.status;
    c->changes++;
    double now = steady_loop_exact_time(c->loop), deadline = c->session.deadline;
    enum steady_session_action action = steady_session_handle(&c->session, event, now, delay);
    bool again = action == STEADY_ACTION_ATTEMPT;
    if (again || action == STEADY_ACTION_DROP || event == STEADY_SESSION_FAILED ||
        event == STEADY_SESSION_LOST) {
        steady_link_end(c, again ? 0 : delay);
        if (!again)
            steady_attempt_drop(c);
    }
    if (c->session.status == STEADY_STATUS_CLOSED && c->user_closed)
        c->stats.dropped += steady_queue_clear(&c->queue);
    if (c->session.status != old) {
        struct steady_event status = {
            .type = STEADY_EVENT_STATUS, .status = c->session.status, .old_status = old};
        steady_client_tell(c, &status);
    }
    if (c->session.deadline != deadline) /* absences before now do not put off the new one */
        c->absent = steady_loop_absent(c->loop);
    if (again)
        steady_attempt_queue(c);
    steady_ready_add(c->loop, &c->ready);
    return action;
}

/* Traces what follows the end of an attempt or of a connection, and who decided it. `options` is
 * the delay by the options and by Retry-After, `delay` is the one that was decided on. `overtaken`
 * says whether the program decided by calling close() or reconnect(). */
static void trace_decision(struct steady_client *c, double options, double delay, bool overtaken)
{
    const char *who = overtaken          ? "by a call of the program's"
                      : delay != options ? "by should_reconnect"
                                         : "by the options";
    if (delay >= 0)
        STEADY_DEBUG(&c->trace, "decided %s: the next attempt is in %.3f s", who, delay);
    else
        STEADY_DEBUG(&c->trace, "decided %s: there is no other attempt", who);
}

static double delay_of_options(struct steady_client *c, double now)
{
    double delay = steady_session_delay(&c->session, now, steady_random_number());
    return delay < 0 ? delay : fmax(delay, steady_attempt_held(c, now));
}

/* Returns the seconds for which the server asks in Retry-After, or 0. When it asks for some, its
 * URL is held back for that time and a random part on top (see steady_backoff_asked). */
static double obey_retry_after(struct steady_client *c, const struct steady_buffer *headers,
                               double now)
{
    const char *value = headers ? steady_headers_find(headers, "retry-after") : NULL;
    double asked = value ? fmin(steady_retry_after(value, time(NULL)), MAX_RETRY_AFTER) : 0;
    double delay = steady_backoff_asked(&c->options.session.backoff, c->session.attempt, asked,
                                        steady_random_number());
    if (asked > 0)
        steady_holds_set(&c->attempt.holds, c->attempt.trail.first, now + delay);
    return asked;
}

/* Puts the client's name and the URL in front of event->message, and remembers the result. */
static void complete_message(struct steady_client *c, struct steady_event *event)
{
    struct steady_buffer text = {0};
    const char *url = c->attempt.url ? c->attempt.url->text : "";
    steady_buffer_append_texts(&text, c->options.name, ": ", url, *url ? ": " : "", event->message);
    free(c->last_error);
    c->last_error = (char *)text.data;
    event->url = c->attempt.url ? url : NULL;
    event->message = c->last_error ? c->last_error : event->message;
    event->attempt = c->session.attempt;
    c->stats.failures++;
}

/* Asks the owner what shall follow the event `ended`, and then tells the session `what` has
 * happened. Also queues `error`, unless it is NULL. An owner that calls close() or reconnect() when
 * it is asked has decided by that call; `error` is then queued in front of the events of that call.
 */
static void decide(struct steady_client *c, enum steady_session_event what,
                   const struct steady_event *ended, struct steady_event *error)
{
    unsigned changes = c->changes;
    struct steady_queued_event *last = c->events.last;
    double delay = c->owner->decide(c, ended);
    bool overtaken = c->changes != changes;
    if (overtaken)
        delay = c->session.status == STEADY_STATUS_CONNECTING ? 0 : -1;
    trace_decision(c, ended->delay, delay, overtaken);
    if (error) {
        error->delay = delay;
        steady_events_insert(&c->events, last, error);
    }
    if (!overtaken || c->session.status == STEADY_STATUS_CLOSING)
        steady_client_change(c, what, delay);
}

void steady_client_fail_attempt(struct steady_client *c, enum steady_error error,
                                const char *message, const struct steady_failure *failure)
{
    double now = steady_loop_exact_time(c->loop);
    struct steady_event event = {
        .type = STEADY_EVENT_ERROR,
        .error = error,
        .message = message,
        .http_status = failure ? failure->http_status : 0,
        .headers = failure && failure->http_status ? failure->headers : NULL,
        .data = failure ? failure->body : NULL,
        .size = failure ? failure->body_size : 0,
    };
    complete_message(c, &event);
    event.retry_after = obey_retry_after(c, event.headers, now);
    if (event.retry_after > 0)
        STEADY_DEBUG(&c->trace, "the server asks to wait for %g s (Retry-After)",
                     event.retry_after);
    event.delay = delay_of_options(c, now);
    decide(c, STEADY_SESSION_FAILED, &event, &event);
}

void steady_client_lose_link(struct steady_client *c)
{
    struct steady_event closing =
        steady_link_close_event(c, delay_of_options(c, steady_loop_exact_time(c->loop)));
    struct steady_event error = {
        .type = STEADY_EVENT_ERROR, .error = c->link.failure, .message = c->link.failure_message};
    if (c->link.failure)
        complete_message(c, &error);
    decide(c, STEADY_SESSION_LOST, &closing, c->link.failure ? &error : NULL);
}
