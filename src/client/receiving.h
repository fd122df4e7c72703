/* The messages and control frames that come over the open connection. */
#ifndef STEADY_CLIENT_RECEIVING_H
#define STEADY_CLIENT_RECEIVING_H

#include "client/state.h"

/* Takes bytes that have come. They have to stay where they are until steady_receiving_keep. */
void steady_receiving_input(struct steady_client *client, const uint8_t *bytes, size_t size);

/* Copies the bytes that are still unread, because the place where they came in is used again. When
 * there is no memory for the copy, the connection is lost, and those bytes with it. */
void steady_receiving_keep(struct steady_client *client);

/* Returns whether the owner wants messages: it has not paused the client, and the inbox has room.
 */
bool steady_receiving_wanted(const struct steady_client *client);

/* Returns whether the next message may be delivered: the owner wants it, and not too many pongs
 * wait to go out. */
bool steady_receiving_can_deliver(const struct steady_client *client);

/* Gives the next MESSAGE or PONG event. Returns false when there is none, or when it may not be
 * delivered now. */
bool steady_receiving_next(struct steady_client *client, struct steady_event *event);

#endif
