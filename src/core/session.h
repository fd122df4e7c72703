/* A client's life as a state machine (DESIGN.md 3.1): events in, actions out. Time is an argument,
 * in seconds on any clock that does not go back; so is the random number of the backoff. This is
 * the only place that changes a status. */
#ifndef STEADY_CORE_SESSION_H
#define STEADY_CORE_SESSION_H

#include "core/backoff.h"

enum steady_status {
    STEADY_STATUS_IDLE,       /* never connected */
    STEADY_STATUS_CONNECTING, /* an attempt is under way */
    STEADY_STATUS_OPEN,
    STEADY_STATUS_WAITING, /* until the next attempt */
    STEADY_STATUS_CLOSING, /* by close(): what is queued goes out, then the closing handshake */
    STEADY_STATUS_CLOSED,
    STEADY_STATUSES
};

/* The fixed string users see: "idle" and so on. */
const char *steady_status_name(enum steady_status status);

enum steady_session_event {
    STEADY_SESSION_CONNECT,   /* the user calls connect */
    STEADY_SESSION_CLOSE,     /* the user calls close */
    STEADY_SESSION_RECONNECT, /* the user wants a new connection now */
    STEADY_SESSION_OPENED,    /* the attempt succeeded */
    STEADY_SESSION_FAILED,    /* the attempt did not */
    STEADY_SESSION_LOST,      /* the open connection ended, whoever ended it */
    STEADY_SESSION_DUE,       /* the deadline is reached */
    STEADY_SESSION_EVENTS
};

enum steady_session_action {
    STEADY_ACTION_NONE,
    STEADY_ACTION_ATTEMPT,  /* drop what there still is of an attempt or connection, then start one
                             */
    STEADY_ACTION_DROP,     /* drop the attempt or the connection without ceremony */
    STEADY_ACTION_FINISH,   /* send what is queued, then the close frame */
    STEADY_ACTION_TIME_OUT, /* the attempt takes too long: drop it, then report FAILED */
};

struct steady_session_options {
    struct steady_backoff backoff;
    double min_uptime;      /* seconds open after which failures are counted from zero again */
    double max_attempts;    /* in a row without success; may be infinite */
    double connect_timeout; /* seconds */
    double close_timeout;   /* seconds */
    int reconnect;          /* 0: an attempt or connection that ends closes the client */
};

/* A zeroed struct with options set is a session that is idle. */
struct steady_session {
    const struct steady_session_options *options;
    enum steady_status status;
    unsigned attempt; /* number of the last attempt since the last success that lasted, from 1 */
    double opened_at; /* when the status became open */
    double deadline;  /* when to report DUE; INFINITY: never */
};

/* What the options say about an attempt or connection that ends now: the seconds until the next
 * attempt, or -1 when there shall be none. random is in [0, 1). */
double steady_session_delay(const struct steady_session *session, double now, double random);

/* Takes an event and returns what to do. delay matters for FAILED and LOST: the seconds until the
 * next attempt, negative for none. An event that means nothing in the present status is ignored. */
enum steady_session_action steady_session_handle(struct steady_session *session,
                                                 enum steady_session_event event, double now,
                                                 double delay);

/* Puts a deadline by which the peer has to do something off: for so many seconds it could not be
 * heard. */
void steady_session_put_off(struct steady_session *session, double seconds);

/* Not idle and not closed: the client works on, whether anyone holds a reference to it or not. */
int steady_session_active(const struct steady_session *session);

#endif
