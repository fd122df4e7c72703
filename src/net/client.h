/* A client: carries out what its session (core/session) says, with a queue, an RFC 6455 protocol
 * core and a connection for each attempt. What happens is queued as events, which the owner pulls
 * one at a time with steady_client_next, from inside `deliver` and nowhere else. */
#ifndef STEADY_NET_CLIENT_H
#define STEADY_NET_CLIENT_H

#include "core/error.h"
#include "core/options.h"
#include "core/protocol.h"
#include "core/queue.h"
#include "core/session.h"
#include "net/events.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"
#include "net/upgrade.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_client;

struct steady_client_owner {
    /* There are events: pull them until there are none, or leave the rest for later. */
    void (*deliver)(struct steady_client *client);
    /* Nothing will happen any more without a call from outside: the owner need not keep it alive.
     * It may be freed in here or after. */
    void (*release)(struct steady_client *client);
    /* Before each attempt: brings the options' urls and headers up to date. False: it cannot; then
     * the text in message says why. */
    bool (*prepare)(struct steady_client *client, char *message, size_t size);
    /* An attempt or a connection has ended, as event says. Returns the seconds until the next
     * attempt, negative for none; event->delay is what the options say. */
    double (*decide)(struct steady_client *client, const struct steady_event *event);
};

/* Counted from the client's making on. Of the messages that send accepted, each is in one place:
 *      accepted = sent - resent + queued + dropped, and with confirm: sent - resent = confirmed +
 * unconfirmed. */
struct steady_stats {
    uint64_t accepted; /* messages */
    uint64_t sent;     /* handed over whole, each time */
    uint64_t
        resent; /* back in the queue, since they were not confirmed before the connection ended */
    uint64_t confirmed; /* with confirm */
    uint64_t dropped;   /* expired, discarded, given up for newer ones, or left over when closed */
    uint64_t received;
    uint64_t bytes_sent, bytes_received; /* after the upgrade, frames included, before TLS */
    uint64_t pings, pongs;               /* pings we sent, pongs that came */
    uint64_t attempts, connections, failures;
    uint64_t retries;    /* attempts that were not the first since connect() */
    uint64_t last_close; /* close code of the last connection that ended; 0: none has */
    double connected;    /* seconds, up to the end of the last connection */
};

/* One attempt: a URL, its addresses, and which of them is tried. */
struct steady_attempt {
    bool start;                   /* to be begun in the next turn */
    const struct steady_url *url; /* one of the options' */
    struct steady_url proxy;      /* of the environment */
    struct steady_dns *dns;       /* while the name is looked up: of the host, or of its proxy */
    struct steady_address *addresses;
    size_t count, current;
    double deadline;                /* when to go on to the next address */
    struct steady_upgrade *upgrade; /* NULL: not under way */
    struct steady_vhost *vhost;
};

/* What an open connection has beside its bytes. Zeroed between connections. */
struct steady_link {
    bool open;                    /* until its end has become an event */
    struct steady_stream *stream; /* NULL: lost */
    bool lost;     /* the stream has ended; its last messages may still have to be delivered */
    bool greeting; /* the owner is handling the OPEN event */
    bool greeted;  /* it has: now the queue may go out */
    struct steady_protocol protocol;
    struct steady_heartbeat heartbeat;
    uint64_t doubted; /* the loop's pass in which the heartbeat found the peer dead; 0: alive */
    double opened_at;
    double linger; /* when to stop waiting for the peer to end the TCP connection; 0: not yet */
    uint16_t code; /* of the peer's close frame; 0: none came */
    char *reason;  /* of the peer's close frame */
    size_t reason_size;          /* bytes */
    bool by_us;                  /* our close frame, or our end of it, came first */
    enum steady_error failure;   /* the peer broke a rule, or is silent; STEADY_OK: neither */
    uint16_t failure_code;       /* what our close frame says then; 1006: there is none */
    const char *failure_message; /* static */
};

struct steady_client {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    const struct steady_client_owner *owner;
    struct steady_options options;
    struct steady_session session;
    unsigned changes; /* events the session heard of: to see whether a call to the owner made one */
    struct steady_timer *timer;
    double armed;    /* what the timer is set to; INFINITY: nothing */
    bool alive;      /* counted in the loop, and held by the owner */
    bool delivering; /* the owner is pulling events */
    bool paused;     /* no message is delivered, nothing is read */
    bool watched;    /* the owner wants to hear of the end of a delivery, and of an empty queue */

    /* What waits to be sent. While the OPEN event is with the owner, `front` takes what is sent: it
     * goes before all that is queued. */
    struct steady_queue queue, front;
    bool over_high_water; /* since the last DRAIN event */

    struct steady_queue inbox; /* messages that nobody has taken yet */

    struct steady_attempt attempt;
    struct steady_link link;
    bool was_open;       /* since connect() */
    uint16_t close_code; /* what close() was given; 0: nothing */
    char *close_reason;
    bool user_closed;  /* by close(), since connect() */
    char *subprotocol; /* of the last connection; NULL: none */
    char *last_error;  /* the message of the last failure; NULL: there was none */
    double latency;    /* seconds from the last ping of ours to its pong; negative: not known */
    struct steady_stats stats;
    struct steady_events events;
};

/* Fills a zeroed struct; options have been set. The loop must stay. */
void steady_client_init(struct steady_client *client, struct steady_loop *loop,
                        const struct steady_client_owner *owner);

/* Ends whatever there is without any event and frees what the struct holds, options included. */
void steady_client_free(struct steady_client *client);

/* The next event, of which the queued ones come before messages; false: there is none. What it
 * points to is good until the next call. */
bool steady_client_next(struct steady_client *client, struct steady_event *event);

/* STEADY_ALREADY_CONNECTED; STEADY_NETWORK: out of memory. data (NULL: none) goes out once, as the
 * first message of the first connection. */
enum steady_error steady_client_connect(struct steady_client *client, const uint8_t *data,
                                        size_t size, bool binary);

/* STEADY_CLOSED, STEADY_QUEUE_FULL, STEADY_INVALID; STEADY_NETWORK: out of memory. */
enum steady_error steady_client_send(struct steady_client *client, const uint8_t *data, size_t size,
                                     bool binary);

/* code 0: none. STEADY_NETWORK: out of memory. */
enum steady_error steady_client_close(struct steady_client *client, uint16_t code,
                                      const char *reason, size_t size);

/* STEADY_NOT_CONNECTED: it is idle, closing or closed. */
enum steady_error steady_client_reconnect(struct steady_client *client);

/* Stops and goes on delivering messages and reading. */
void steady_client_pause(struct steady_client *client, bool pause);

/* A ping by hand, at most STEADY_CONTROL_MAX bytes; its pong is an event. STEADY_NOT_CONNECTED;
 * STEADY_NETWORK: out of memory. */
enum steady_error steady_client_ping(struct steady_client *client, const uint8_t *data,
                                     size_t size);

/* Empties the queue; what is part-way out stays. Returns how many messages it dropped. */
size_t steady_client_discard(struct steady_client *client);

/* Keeps the message of a MESSAGE event for steady_client_take; reading stops while more than the
 * options' bytes are kept. False: out of memory. */
bool steady_client_keep(struct steady_client *client, const struct steady_event *event);

/* The oldest message that was kept; steady_client_taken removes it. NULL: there is none. */
const struct steady_message *steady_client_take(struct steady_client *client);
void steady_client_taken(struct steady_client *client);

/* Payload bytes and messages that wait to be sent; and payload bytes that the kernel has not taken,
 * frames and all. */
size_t steady_client_queued_bytes(const struct steady_client *client);
size_t steady_client_queued_messages(const struct steady_client *client);
size_t steady_client_buffered(const struct steady_client *client);

/* As of now, with the present connection's time. */
struct steady_stats steady_client_stats(struct steady_client *client);

#endif
