/* The life of a client as a state machine, which takes events and returns actions. The time is an
 * argument, in seconds on any clock that does not go back; so is the random number for the backoff.
 * Only this code changes the status. */
#ifndef STEADY_CORE_SESSION_H
#define STEADY_CORE_SESSION_H

#include "core/backoff.h"

enum steady_status {
    STEADY_STATUS_IDLE,       /* connect() was never called */
    STEADY_STATUS_CONNECTING, /* an attempt is under way, or waits for its turn */
    STEADY_STATUS_OPEN,
    STEADY_STATUS_WAITING, /* the client waits until the next attempt */
    STEADY_STATUS_CLOSING, /* close() was called: the queue is sent, then the closing handshake
                              follows */
    STEADY_STATUS_CLOSED,
    STEADY_STATUSES
};

/* Returns the fixed string that users see: "idle" and so on. */
const char *steady_status_name(enum steady_status status);

enum steady_session_event {
    STEADY_SESSION_CONNECT,   /* the user calls connect */
    STEADY_SESSION_CLOSE,     /* the user calls close */
    STEADY_SESSION_RECONNECT, /* the user wants a new connection now */
    STEADY_SESSION_BEGUN,     /* the attempt has begun, and connect_timeout with it */
    STEADY_SESSION_OPENED,    /* the attempt succeeded */
    STEADY_SESSION_FAILED,    /* the attempt failed */
    STEADY_SESSION_LOST,      /* the open connection ended, whichever side ended it */
    STEADY_SESSION_DUE,       /* the deadline has been reached */
    STEADY_SESSION_EVENTS
};

enum steady_session_action {
    STEADY_ACTION_NONE,
    STEADY_ACTION_ATTEMPT,  /* drop the attempt or connection, if there is one, start a new attempt,
                               now or later, and report STEADY_SESSION_BEGUN when it starts */
    STEADY_ACTION_DROP,     /* drop the attempt or the connection at once */
    STEADY_ACTION_FINISH,   /* send what is queued, then the close frame */
    STEADY_ACTION_TIME_OUT, /* the attempt took too long: drop it, then report STEADY_SESSION_FAILED
                             */
};

struct steady_session_options {
    struct steady_backoff backoff;
    double min_uptime;      /* seconds; a connection that lasted longer resets the failures */
    double max_attempts;    /* how many attempts may fail in a row; may be infinite */
    double connect_timeout; /* seconds */
    double close_timeout;   /* seconds */
    int reconnect;          /* 0 when the client closes as soon as an attempt or connection ends */
};

/* A zeroed struct whose member `options` is set is an idle session. */
struct steady_session {
    const struct steady_session_options *options;
    enum steady_status status;
    unsigned attempt; /* the number of the last attempt, counted from 1 since connect(), reconnect()
                         or a connection that lasted min_uptime */
    double opened_at; /* when the status became open */
    double deadline;  /* the time to report STEADY_SESSION_DUE, or INFINITY for never */
};

/* Returns what follows by the options when an attempt or connection ends now: the seconds until the
 * next attempt, or -1 when there is none. `random` is in [0, 1). */
double steady_session_delay(const struct steady_session *session, double now, double random);

/* Handles an event and returns what to do. `delay` is used for FAILED and LOST only: it is the
 * seconds until the next attempt, or a negative number when there is none. An event that has no
 * meaning in the present status is ignored. */
enum steady_session_action steady_session_handle(struct steady_session *session,
                                                 enum steady_session_event event, double now,
                                                 double delay);

/* Puts off the deadline by which the peer has to do something by this many seconds, because the
 * client could not hear the peer for so long. */
void steady_session_put_off(struct steady_session *session, double seconds);

/* Returns whether the session is neither idle nor closed. An active client goes on working when the
 * program holds no reference to it. */
int steady_session_active(const struct steady_session *session);

#endif
