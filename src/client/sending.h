/* Everything that goes out over the open connection: queued messages, pings, our close frame. */
#ifndef STEADY_CLIENT_SENDING_H
#define STEADY_CLIENT_SENDING_H

#include "client/state.h"

/* Writes everything that waits, as far as the connection takes it. */
void steady_sending_flush(struct steady_client *client);

/* Makes full writes only, see STEADY_WRITE_SIZE: the rest waits for more messages. */
void steady_sending_flush_full(struct steady_client *client);

/* Sends a close frame, if the stream takes it at once. */
void steady_sending_say_goodbye(struct steady_client *client);

/* Queues a ping by hand. Returns false when there is no memory for it. */
bool steady_sending_ping(struct steady_client *client, const uint8_t *data, size_t size);

/* Returns when the heartbeat has something to do, or INFINITY. A client that is paused or closing
 * does not ask. */
double steady_sending_heartbeat_deadline(const struct steady_client *client);

/* Does what the heartbeat has to do: asks the peer, or finds it dead and drops the link. */
void steady_sending_check_heartbeat(struct steady_client *client, double now);

#endif
