/* A client: carries out what its session (core/session) says, with a queue, an RFC 6455 protocol
 * core and a connection for each attempt. What happens is queued as events, which the owner pulls
 * one at a time with steady_client_next, from inside `deliver` and nowhere else. */
#ifndef STEADY_CLIENT_CLIENT_H
#define STEADY_CLIENT_CLIENT_H

#include "client/door.h"
#include "client/state.h"

/* Fills a zeroed struct; options have been set. The loop must stay. False: out of memory; then
 * there is nothing but the options to be freed. */
bool steady_client_init(struct steady_client *client, struct steady_loop *loop,
                        const struct steady_client_owner *owner);

/* Ends whatever there is without any event and frees what the struct holds, options included. */
void steady_client_free(struct steady_client *client);

/* The status that users see. A client is closed for them once its handlers have heard of that, or
 * are about to; until then it is closing, so that a loop that ends with "closed" misses none of
 * them. */
enum steady_status steady_client_status(const struct steady_client *client);

/* Gives the next event: those that are queued come before messages. Returns false when there is
 * none. The event, and what it points to, is good until the next call. */
static inline bool steady_client_next(struct steady_client *client, struct steady_event *event)
{
    return steady_door_next(client, event);
}

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

/* Removes the oldest message of the inbox (see client/inbox.h). Reading stops while more than the
 * options' bytes are kept there, and goes on after this. */
void steady_client_taken(struct steady_client *client);

/* Bytes that the system has not taken: payload that waits, and what was written, frames and all. */
size_t steady_client_buffered(const struct steady_client *client);

/* As of now, with the present connection's time. */
struct steady_stats steady_client_stats(struct steady_client *client);

#endif
