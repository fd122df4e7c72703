/* What goes out over the open connection: queued messages, pings, our close frame. */
#ifndef STEADY_CLIENT_SENDING_H
#define STEADY_CLIENT_SENDING_H

#include "client/state.h"

/* Writes what there is to write, as far as the connection takes it. */
void steady_sending_flush(struct steady_client *client);

/* Writes no more than what fills a write, see STEADY_WRITE_SIZE: the rest waits for more. */
void steady_sending_flush_full(struct steady_client *client);

/* Sends a close frame, if that can be done at once. */
void steady_sending_say_goodbye(struct steady_client *client);

/* Queues a ping by hand. False: out of memory. */
bool steady_sending_ping(struct steady_client *client, const uint8_t *data, size_t size);

/* When the heartbeat has something to do; INFINITY: not at all. While it is paused, or closing, a
 * client does not ask. */
double steady_sending_heartbeat_deadline(const struct steady_client *client);

/* Does it: asks, or finds the peer dead and drops the link. */
void steady_sending_check_heartbeat(struct steady_client *client, double now);

#endif
