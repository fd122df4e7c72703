/* A client carries out what its session (core/session) says, with a queue, an RFC 6455 protocol
 * core and a connection for each attempt. What happens is queued as events, which the owner pulls
 * one at a time with steady_client_next, from inside `deliver` and nowhere else. */
#ifndef STEADY_CLIENT_CLIENT_H
#define STEADY_CLIENT_CLIENT_H

#include "client/door.h"
#include "client/state.h"

/* Fills a struct that is zeroed except for its options. The loop has to outlive it. Returns false
 * when memory is out; then only the options have to be freed. */
bool steady_client_init(struct steady_client *client, struct steady_loop *loop,
                        const struct steady_client_owner *owner);

/* Ends the attempt or the connection without any event, and frees what the struct holds, including
 * the options. */
void steady_client_free(struct steady_client *client);

/* Returns the status that users see. They see "closed" when the handlers have been told, or are
 * about to be; until then they see "closing". So a program that turns the loop until the status is
 * "closed" misses no handler. */
enum steady_status steady_client_status(const struct steady_client *client);

/* Gives the next event; events that are queued come before messages. Returns false when there is
 * none. The event and what it points to are valid until the next call. */
static inline bool steady_client_next(struct steady_client *client, struct steady_event *event)
{
    return steady_door_next(client, event);
}

/* Starts the first attempt. `data`, unless it is NULL, is queued once, in front of all other
 * messages. Returns STEADY_OK; STEADY_ALREADY_CONNECTED when the client is active; STEADY_INVALID
 * when `data` is a text that is not UTF-8; or STEADY_NETWORK when memory is out. */
enum steady_error steady_client_connect(struct steady_client *client, const uint8_t *data,
                                        size_t size, bool binary);

/* Sends a message, or queues it while there is no connection. Returns STEADY_OK; STEADY_CLOSED when
 * the client is closing or closed; STEADY_QUEUE_FULL; STEADY_MESSAGE_SIZE for a message that is
 * larger than the queue may be; STEADY_INVALID for a text that is not UTF-8; or STEADY_NETWORK when
 * memory is out. */
enum steady_error steady_client_send(struct steady_client *client, const uint8_t *data, size_t size,
                                     bool binary);

/* Closes the client for good, with a close frame where there is a connection (RFC 6455 section
 * 7.1.2). The frame has no code when `code` is 0, and `reason` has `size` bytes of UTF-8. Returns
 * STEADY_OK, or STEADY_NETWORK when memory is out. */
enum steady_error steady_client_close(struct steady_client *client, uint16_t code,
                                      const char *reason, size_t size);

/* Ends the connection, the attempt or the wait, and begins a new attempt at once. A connection is
 * told `code` and a reason of `size` bytes. Returns STEADY_OK, or STEADY_NOT_CONNECTED when the
 * client is idle, closing or closed. */
enum steady_error steady_client_reconnect(struct steady_client *client, uint16_t code,
                                          const char *reason, size_t size);

/* Stops delivering messages and reading, or goes on with both. */
void steady_client_pause(struct steady_client *client, bool pause);

/* Sends a ping with at most STEADY_CONTROL_MAX bytes; its pong will be an event. Returns STEADY_OK,
 * STEADY_NOT_CONNECTED, or STEADY_NETWORK when memory is out. */
enum steady_error steady_client_ping(struct steady_client *client, const uint8_t *data,
                                     size_t size);

/* Drops all messages of the queue but the one of which a part has gone out. Returns how many it
 * dropped. */
size_t steady_client_discard(struct steady_client *client);

/* Removes the oldest message of the inbox (see client/inbox.h). Reading, which stops while the
 * inbox is full, goes on when there is room again. */
void steady_client_taken(struct steady_client *client);

/* Returns how many bytes the system has not taken: the payload of messages that wait, and the
 * frames that were made of others. */
size_t steady_client_buffered(const struct steady_client *client);

/* Returns the statistics up to now; the time of the present connection is included. */
struct steady_stats steady_client_stats(struct steady_client *client);

#endif
