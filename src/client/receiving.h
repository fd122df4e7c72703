/* Handles the messages and control frames that arrive over the open connection. */
#ifndef STEADY_CLIENT_RECEIVING_H
#define STEADY_CLIENT_RECEIVING_H

#include "client/state.h"

/* Takes bytes that have arrived. They must stay where they are until steady_receiving_keep is
 * called. */
void steady_receiving_input(struct steady_client *client, const uint8_t *bytes, size_t size);

/* Copies the bytes that are still unread, because the stream will use the memory in which they
 * arrived again. When memory is out, the connection is lost, and the unread bytes with it. */
void steady_receiving_keep(struct steady_client *client);

/* Returns whether the owner wants messages. It does when it has not paused the client and the inbox
 * has room. */
bool steady_receiving_wanted(const struct steady_client *client);

/* Returns whether the next message may be delivered. It may when the owner wants it, or our close
 * frame was sent, and not too many pongs wait to go out. */
bool steady_receiving_can_deliver(const struct steady_client *client);

/* Gives the next MESSAGE or PONG event. Returns false when there is none, or when it may not be
 * delivered now. */
bool steady_receiving_next(struct steady_client *client, struct steady_event *event);

#endif
