/* What waits to be sent, within the bounds of the options. */
#ifndef STEADY_CLIENT_OUTBOX_H
#define STEADY_CLIENT_OUTBOX_H

#include "client/state.h"

/* Accepts a message. STEADY_QUEUE_FULL; STEADY_NETWORK: out of memory. */
enum steady_error steady_outbox_push(struct steady_client *client, const uint8_t *data, size_t size,
                                     bool binary);

/* Drops all that has not begun to go out. Returns how many messages. */
size_t steady_outbox_discard(struct steady_client *client);

/* Payload bytes and messages that wait. */
size_t steady_outbox_bytes(const struct steady_client *client);
size_t steady_outbox_messages(const struct steady_client *client);

/* Tells DRAIN if the queue, having been over high_water, is at or under low_water. */
void steady_outbox_check_drain(struct steady_client *client);

#endif
