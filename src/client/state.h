/* What a client consists of. Its parts, on the floor above this file, carry out what its session
 * (core/session) says: client/attempt opens a connection, client/link is the open one,
 * client/sending and client/receiving move messages over it, client/outbox and client/inbox keep
 * those that wait. */
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

/* Calls to the owner. */
struct steady_client_owner {
    /* There are events: pull them until there are none, or leave the rest for later. */
    void (*deliver)(struct steady_client *client);
    /* Nothing will happen any more without a call from outside: the owner need not keep it alive.
     * It may be freed in here or after. */
    void (*release)(struct steady_client *client);
    /* Before each attempt: brings those options up to date that functions give. False: it cannot;
     * then the text in message says why. */
    bool (*prepare)(struct steady_client *client, char *message, size_t size);
    /* An attempt or a connection has ended, as event says. Returns the seconds until the next
     * attempt, negative for none; event->delay is what the options say. */
    double (*decide)(struct steady_client *client, const struct steady_event *event);
};

/* Counted from the client's making on. Of the messages that send accepted, each is in one place:
 *     accepted = sent - resent + queued + dropped,
 * and with confirm:
 *     sent - resent = confirmed + unconfirmed + greetings. */
struct steady_stats {
    uint64_t accepted; /* messages */
    uint64_t sent;     /* handed over whole, each time */
    uint64_t resent; /* back in the queue, since the connection ended before they were confirmed */
    uint64_t confirmed; /* with confirm */
    uint64_t
        greetings;    /* sent by on_open: they belong to one connection, and nobody confirms them */
    uint64_t dropped; /* expired, discarded, given up for newer ones, or left over when closed */
    uint64_t received;
    uint64_t bytes_sent, bytes_received; /* after the upgrade, frames included, before TLS */
    uint64_t pings, pongs;               /* pings we sent, pongs that came */
    uint64_t attempts, connections, failures;
    uint64_t retries;    /* attempts that were not the first since connect() */
    uint64_t last_close; /* close code of the last connection that ended; 0: none has */
    double connected;    /* seconds, up to the end of the last connection */
};

/* What all clients of a loop share. */
struct steady_client_shared {
    struct steady_service service; /* the first member */
    struct steady_random random;
    struct steady_queue_pool queue_pool;
    struct steady_lobby lobby;
};

/* An attempt to open a connection. All states but the first are those of a session that is
 * CONNECTING. Its deadline, connect_timeout, begins with UNDER_WAY. */
enum steady_attempt_state {
    STEADY_ATTEMPT_NONE,
    STEADY_ATTEMPT_QUEUED,    /* in the lobby, until one of those under way ends: each has a
                                 deadline */
    STEADY_ATTEMPT_DUE,       /* begins in the next turn */
    STEADY_ATTEMPT_UNDER_WAY, /* `upgrade` is there, and ends by a call: then comes the end, or, by
                                 a redirect, the next upgrade, without any state between them */
    STEADY_ATTEMPT_LATE,      /* the deadline has passed: that call is being made, and is the end */
};

struct steady_attempt {
    enum steady_attempt_state state;
    struct steady_ready guest;    /* waits in the lobby while QUEUED, and has a place there in the
                                     states behind it */
    struct steady_trail trail;    /* from one of the options' URLs on; kept when it is over */
    const struct steady_url *url; /* the trail's end; NULL: there is none */
    struct steady_holds holds;    /* what Retry-After said of URLs; outlives attempts */
    struct steady_url proxy;      /* of the environment */
    struct steady_upgrade *upgrade;
    struct steady_tls_context *tls;       /* of the last attempt that needed one */
    struct steady_tls_context *proxy_tls; /* likewise, for the proxy */
};

/* The open connection. All states but the first and the last are those of a session that is OPEN or
 * CLOSING. */
enum steady_link_state {
    STEADY_LINK_NONE,
    /* The OPEN event waits to be handled. Nothing is sent or delivered. It has no deadline of its
     * own: it ends in the loop's next turn that hands anything over. */
    STEADY_LINK_NEW,
    /* The owner handles the OPEN event. What it sends will go before all that is queued. */
    STEADY_LINK_GREETING,
    /* Messages go both ways. The heartbeat's deadline ends it, close() leads to CLOSING, the peer's
     * close frame or a failure to LINGERING. */
    STEADY_LINK_OPEN,
    /* Our close frame is on its way, and nothing behind it. The session's deadline, close_timeout,
     * bounds it. */
    STEADY_LINK_CLOSING,
    /* The peer's close frame has come, or we have failed the connection: the peer has to end TCP
     * now (RFC 6455 section 7.1.1), by the deadline `linger`. */
    STEADY_LINK_LINGERING,
    /* The stream has ended, and what came before is still to be delivered. That has no deadline:
     * the owner may have paused the client. */
    STEADY_LINK_LOST,
};

/* Zeroed between connections. */
struct steady_link {
    enum steady_link_state state;
    struct steady_stream *stream; /* NULL: it has ended */
    struct steady_protocol protocol;
    struct steady_heartbeat heartbeat;
    struct steady_tap received, sent; /* open while frames are traced */
    double opened_at;
    double linger;               /* the deadline of LINGERING; otherwise of no meaning */
    bool by_us;                  /* our close frame, or our end of TCP, came first */
    uint16_t code;               /* of the peer's close frame; 0: none came */
    char *reason;                /* of the peer's close frame */
    size_t reason_size;          /* bytes */
    enum steady_error failure;   /* the peer broke a rule, or is silent; STEADY_OK: neither */
    uint16_t failure_code;       /* what our close frame says then; 1006: there is none */
    const char *failure_message; /* static, or that of `cause` */
    struct steady_cause cause;   /* why TLS failed, if it did */
};

struct steady_client {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    struct steady_client_shared *shared;
    const struct steady_client_owner *owner;
    struct steady_options options;
    struct steady_session session;
    enum steady_status told; /* the status of which the owner heard last */
    bool telling_end;        /* the event that it handles tells that there is no next attempt */
    unsigned changes; /* events the session heard of: to see whether a call to the owner made one */
    struct steady_timer *timer;
    double armed;  /* what the timer is set to; INFINITY: nothing */
    double absent; /* the loop's absence for which deadlines have been put off */

    bool alive;   /* counted in the loop, and held by the owner */
    bool entered; /* a call from the loop is being handled, see client/door.h */
    bool paused;  /* by the owner: no message is delivered, nothing is read */
    bool watched; /* the owner wants to hear of the end of a delivery, and of an empty queue */

    /* What waits to be sent. `front` has what was sent while the link was GREETING: it goes out
     * first, and belongs to this connection alone. */
    struct steady_queue queue, front;
    bool over_high_water; /* since the last DRAIN event */
    bool refused;         /* a message, since then, for which there was no room */
    size_t refused_size;  /* bytes of the last one */

    struct steady_queue inbox; /* messages that nobody has taken yet */

    struct steady_attempt attempt;
    struct steady_link link;
    bool was_tried;      /* an attempt has begun since connect() */
    bool was_open;       /* since connect() */
    uint16_t close_code; /* what close() was given; 0: nothing */
    char *close_reason;
    bool user_closed;  /* by close(), since connect() */
    char *subprotocol; /* of the last connection; NULL: none */
    char *last_error;  /* the message of the last failure; NULL: there was none */
    double latency;    /* seconds from the last ping of ours to its pong; negative: not known */
    struct steady_stats stats;
    struct steady_events events;
    size_t batch; /* how many of them this delivery may still hand over: those that waited when it
                   * began, so that handlers which cause events do not hold the loop */
    struct steady_trace trace;
    size_t lines_missing; /* of the trace, since too many wait */
};

/* Whether there is an open connection, be it one that is about to end. */
static inline bool steady_client_has_link(const struct steady_client *client)
{
    return client->link.state != STEADY_LINK_NONE;
}

/* Queues an event, to be delivered in the next turn at the latest. False: out of memory. */
bool steady_client_tell(struct steady_client *client, const struct steady_event *event);

#endif
