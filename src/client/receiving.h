/* What comes over the open connection. */
#ifndef STEADY_CLIENT_RECEIVING_H
#define STEADY_CLIENT_RECEIVING_H

#include "client/state.h"

/* Bytes have come; they stay where they are until steady_receiving_keep. */
void steady_receiving_input(struct steady_client *client, const uint8_t *bytes, size_t size);

/* What is unread has to go on without the place where it came in. Without memory the connection is
 * lost, and with it what was not read. */
void steady_receiving_keep(struct steady_client *client);

/* Whether the owner wants messages: it has not paused, and has room for them. */
bool steady_receiving_wanted(const struct steady_client *client);

/* Whether a message may be taken off what came: the owner wants it, and pongs do not wait. */
bool steady_receiving_can_deliver(const struct steady_client *client);

/* The next MESSAGE or PONG event; false: there is none, or it may not be delivered now. */
bool steady_receiving_next(struct steady_client *client, struct steady_event *event);

#endif
