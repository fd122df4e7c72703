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
#include "net/connection.h"
#include "net/events.h"
#include "net/loop.h"

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
};

/* One attempt: a URL, its addresses, and which of them is tried. */
struct steady_attempt {
    bool start;                   /* to be begun in the next turn */
    const struct steady_url *url; /* one of the options' */
    struct steady_dns *dns;       /* while the name is looked up */
    struct steady_address *addresses;
    size_t count, current;
    double deadline; /* when to go on to the next address */
    struct steady_vhost *vhost;
};

/* What an open connection has beside its bytes. Zeroed between connections. */
struct steady_link {
    bool open;     /* until its end has become an event */
    bool lost;     /* TCP has ended; its last messages may still have to be delivered */
    bool greeting; /* the owner is handling the OPEN event */
    bool greeted;  /* it has: now the queue may go out */
    struct steady_protocol protocol;
    double linger; /* when to stop waiting for the peer to end the TCP connection; 0: not yet */
    uint16_t code; /* of the peer's close frame; 0: none came */
    char *reason;  /* of the peer's close frame */
    size_t reason_size;          /* bytes */
    bool by_us;                  /* our close frame, or our end of it, came first */
    enum steady_error failure;   /* the peer broke a rule; STEADY_OK: it did not */
    uint16_t failure_code;       /* what our close frame says then */
    const char *failure_message; /* static */
};

struct steady_client {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    const struct steady_client_owner *owner;
    struct steady_options options;
    struct steady_session session;
    struct steady_timer *timer;
    double armed;    /* what the timer is set to; INFINITY: nothing */
    bool alive;      /* counted in the loop, and held by the owner */
    bool delivering; /* the owner is pulling events */
    bool paused;     /* no message is delivered, nothing is read */

    /* What waits to be sent. While the OPEN event is with the owner, `front` takes what is sent: it
     * goes before all that is queued. */
    struct steady_queue queue, front;

    struct steady_attempt attempt;
    struct steady_connection *connection; /* of the attempt, then of the link */
    struct steady_link link;
    bool was_open;       /* since connect() */
    uint16_t close_code; /* what close() was given; 0: nothing */
    char *close_reason;
    bool user_closed;  /* by close(), since connect() */
    char *subprotocol; /* of the last connection; NULL: none */
    char *last_error;  /* the message of the last failure; NULL: there was none */
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

/* Payload bytes and messages that wait to be sent. */
size_t steady_client_queued_bytes(const struct steady_client *client);
size_t steady_client_queued_messages(const struct steady_client *client);

#endif
