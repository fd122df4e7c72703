/* The state of a client, which all files of this folder share. They carry out what the client's
 * session (core/session) says: client/attempt opens a connection, client/link has the open
 * connection, client/sending and client/receiving move messages over it, and client/outbox and
 * client/inbox keep messages that wait. */
#ifndef STEADY_CLIENT_STATE_H
#define STEADY_CLIENT_STATE_H

#include "client/events.h"
#include "client/lobby.h"
#include "client/redirect.h"
#include "client/upgrade.h"
#include "core/error.h"
#include "core/heartbeat.h"
#include "core/holds.h"
#include "core/options.h"
#include "core/protocol.h"
#include "core/queue.h"
#include "core/session.h"
#include "core/tap.h"
#include "core/trace.h"
#include "dial/failure.h"
#include "dial/stream.h"
#include "dial/tls_context.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_client;

/* The calls that a client makes to its owner. */
struct steady_client_owner {
    /* There are events. The owner pulls them with steady_client_next until there are none, or
     * leaves the rest for later. */
    void (*deliver)(struct steady_client *client);
    /* Nothing will happen any more without a call from outside, so the owner need not keep the
     * client alive. The client may be freed during this call or later. */
    void (*release)(struct steady_client *client);
    /* Is called before each attempt. Brings those options up to date that functions give. Returns
     * false when that fails, with a text of at most `size` bytes in `message` that says why. */
    bool (*prepare)(struct steady_client *client, char *message, size_t size);
    /* An attempt or a connection has ended, as `event` says. Returns the seconds until the next
     * attempt, or a negative number when there shall be none. event->delay is what the options say.
     */
    double (*decide)(struct steady_client *client, const struct steady_event *event);
};

/* The statistics of a client, counted since it was made. Each message that send accepted is in one
 * place:
 *     accepted = sent - resent + queued + dropped,
 * and with confirm:
 *     sent - resent = confirmed + unconfirmed + greetings. */
struct steady_stats {
    uint64_t accepted;  /* messages */
    uint64_t sent;      /* messages that were written as a whole; a message counts each time */
    uint64_t resent;    /* messages that went back into the queue, since the connection ended before
                           they were confirmed */
    uint64_t confirmed; /* messages that were confirmed; 0 without the option confirm */
    uint64_t greetings; /* messages of on_open that were sent; nobody confirms them */
    uint64_t dropped;   /* messages that expired, were discarded, made room for newer ones, belonged
                           to a connection that ended, or were left when the client closed */
    uint64_t received;
    uint64_t bytes_sent, bytes_received; /* bytes of frames, as they are without TLS */
    uint64_t pings, pongs;               /* pings that we sent, and pongs that arrived */
    uint64_t attempts, connections, failures;
    uint64_t retries;    /* attempts that were not the first since connect() */
    uint64_t last_close; /* close code of the last connection that ended; 0 when none has */
    double connected;    /* seconds that the connections which have ended were open */
};

/* The state that all clients of a loop share. */
struct steady_client_shared {
    struct steady_service service; /* the first member */
    struct steady_random random;
    struct steady_queue_pool queue_pool;
    struct steady_lobby lobby;
};

/* The states of an attempt to open a connection. In all of them but the first the session is
 * CONNECTING. The attempt's deadline, connect_timeout, begins with UNDER_WAY. */
enum steady_attempt_state {
    STEADY_ATTEMPT_NONE,
    STEADY_ATTEMPT_QUEUED,    /* waits in the lobby until an attempt that is under way ends, each of
                                 which has a deadline */
    STEADY_ATTEMPT_DUE,       /* begins in the next turn of the loop */
    STEADY_ATTEMPT_UNDER_WAY, /* `upgrade` is there, and makes one call at its end; then the attempt
                                 ends or, after a redirect, the next upgrade begins at once */
    STEADY_ATTEMPT_LATE, /* the deadline has passed, so that call is being made now and ends the
                            attempt */
};

struct steady_attempt {
    enum steady_attempt_state state;
    struct steady_ready guest; /* waits in the lobby while the state is QUEUED, and has a place
                                  there in the states behind it */
    struct steady_trail trail; /* the URLs of this attempt, or of the last one when there is none */
    const struct steady_url *url; /* the last URL of the trail; NULL when there is none */
    struct steady_holds holds; /* the URLs that their servers hold back; kept for later attempts */
    struct steady_url proxy;   /* the proxy that the environment names for this attempt */
    struct steady_upgrade *upgrade;
    struct steady_tls_context *tls;       /* for the server; of the last attempt that needed one */
    struct steady_tls_context *proxy_tls; /* the same for the proxy */
};

/* The states of the open connection. In all of them but the first the session is OPEN or CLOSING.
 */
enum steady_link_state {
    STEADY_LINK_NONE,
    /* The OPEN event waits to be handled, and nothing is sent or delivered. This state has no
     * deadline of its own, since it ends in the loop's next turn that delivers events. */
    STEADY_LINK_NEW,
    /* The owner handles the OPEN event. What it sends meanwhile will go before all messages that
     * are queued. */
    STEADY_LINK_GREETING,
    /* Messages go both ways. The heartbeat's deadline ends this state. close() leads to CLOSING,
     * and the peer's close frame or a failure leads to LINGERING. */
    STEADY_LINK_OPEN,
    /* Our close frame goes out, and nothing behind it. The session's deadline, close_timeout, ends
     * this state. */
    STEADY_LINK_CLOSING,
    /* The peer's close frame has arrived, or we have failed the connection. The peer has to end the
     * TCP connection now (RFC 6455 section 7.1.1), before the deadline `linger`. */
    STEADY_LINK_LINGERING,
    /* The stream has ended, and what arrived before is still to be delivered. This state has no
     * deadline, because the owner may have paused the client. */
    STEADY_LINK_LOST,
};

/* The struct is zeroed between connections. */
struct steady_link {
    enum steady_link_state state;
    struct steady_stream *stream; /* NULL when it has ended */
    struct steady_protocol protocol;
    struct steady_heartbeat heartbeat;
    struct steady_tap received, sent; /* open while frames are traced */
    double opened_at;
    double linger; /* the deadline of the state LINGERING; has no meaning in other states */
    bool by_us;    /* whether we began to close the connection, by a close frame or by ending TCP */
    uint16_t code; /* of the peer's close frame; 0 when none has arrived */
    char *reason;  /* of the peer's close frame */
    size_t reason_size;          /* bytes */
    enum steady_error failure;   /* set when the peer broke a rule, or is silent, or TLS failed;
                                    otherwise STEADY_OK */
    uint16_t failure_code;       /* the code of our close frame after a failure; 1006 for none */
    const char *failure_message; /* a static text, or that of `cause` */
    struct steady_cause cause;   /* why TLS has failed, when it has */
};

struct steady_client {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    struct steady_client_shared *shared;
    const struct steady_client_owner *owner;
    struct steady_options options;
    struct steady_session session;
    enum steady_status told_status; /* the last status that the owner was told */
    bool telling_end; /* whether the event that the owner handles says that no attempt follows */
    unsigned changes; /* counts the session's events, to see whether the owner has caused one while
                         it was called */
    struct steady_timer *timer;
    double armed;  /* the time to which the timer is set; INFINITY when it is not set */
    double absent; /* the loop's absence (steady_loop_absent) by which deadlines have been put off
                      already */

    bool alive;   /* whether the client counts in loop->alive, and its owner keeps it */
    bool entered; /* whether a call from the loop is being handled, see client/door.h */
    bool paused; /* whether the owner has paused it: no message is delivered, and nothing is read */
    bool watched; /* whether the owner wants to be told of the end of a delivery, and of an empty
                     queue */

    /* What waits to be sent. `greetings` has what was sent while the link was GREETING: it goes out
     * first, and belongs to this connection alone. */
    struct steady_queue queue, greetings;
    /* Whether the queue was over high_water, and whether it has refused a message of `refused_size`
     * bytes, since the last DRAIN event. */
    bool over_high_water, refused;
    size_t refused_size;

    struct steady_queue inbox; /* messages that nobody has taken yet */

    struct steady_attempt attempt;
    struct steady_link link;
    bool was_tried;      /* whether an attempt has begun since connect() */
    bool was_open;       /* whether a connection has been open since connect() */
    uint16_t close_code; /* what close() was given; 0 when it was given none */
    char *close_reason;
    bool user_closed;  /* whether close() was called since connect() */
    char *subprotocol; /* of the last connection; NULL when it has none */
    char *last_error;  /* the message of the last failure; NULL when there was none */
    double latency;    /* seconds from our last answered question to its answer; negative when it is
                          not known */
    struct steady_stats stats;
    struct steady_events events;
    size_t batch; /* how many events this delivery may still hand over: as many as waited when it
                     began, so that handlers which cause events do not hold up the loop */
    struct steady_trace trace;
    size_t lines_missing; /* lines that were left out of the trace, since too many wait */
};

/* Returns whether there is an open connection, even if it is about to end. */
static inline bool steady_client_has_link(const struct steady_client *client)
{
    return client->link.state != STEADY_LINK_NONE;
}

/* Queues an event, which is delivered in the next turn at the latest. Returns false when memory is
 * out. */
bool steady_client_tell(struct steady_client *client, const struct steady_event *event);

#endif
