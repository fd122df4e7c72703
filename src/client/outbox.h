/* Keeps the messages that wait to be sent, within the bounds of the options. */
#ifndef STEADY_CLIENT_OUTBOX_H
#define STEADY_CLIENT_OUTBOX_H

#include "client/state.h"

/* Accepts a message, and queues a copy of it. Returns STEADY_OK, STEADY_MESSAGE_SIZE,
 * STEADY_QUEUE_FULL, or STEADY_NETWORK when memory is out. */
enum steady_error steady_outbox_push(struct steady_client *client, const uint8_t *data, size_t size,
                                     bool binary);

/* Drops every message whose sending has not begun. Returns how many messages it has dropped. */
size_t steady_outbox_discard(struct steady_client *client);

/* Returns the queue whose messages go out next: `greetings` until it is empty, then `queue`. */
struct steady_queue *steady_outbox_first(struct steady_client *client);

/* These functions return how many bytes of payload, and how many messages, wait to be sent. */
size_t steady_outbox_bytes(const struct steady_client *client);
size_t steady_outbox_messages(const struct steady_client *client);

/* For client/deadlines: when the next message expires, and what happens then. */
double steady_outbox_deadline(const struct steady_client *client);
void steady_outbox_check_expiry(struct steady_client *client, double now);

/* Queues a DRAIN event if the queue was over high_water and is at or under low_water now, or if it
 * has refused a message and has room for it now. */
void steady_outbox_check_drain(struct steady_client *client);

#endif
