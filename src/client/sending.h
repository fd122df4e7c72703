/* Sends everything that goes out over the open connection: queued messages, pings and our close
 * frame. */
#ifndef STEADY_CLIENT_SENDING_H
#define STEADY_CLIENT_SENDING_H

#include "client/state.h"

/* Writes everything that waits, as far as the connection takes it. */
void steady_sending_flush(struct steady_client *client);

/* Makes full writes only (see STEADY_WRITE_SIZE). What is left waits for more messages. */
void steady_sending_flush_full(struct steady_client *client);

/* Sends a close frame with a code and a reason of `size` bytes, if the stream takes it at once. */
void steady_sending_close_at_once(struct steady_client *client, uint16_t code, const char *reason,
                                  size_t size);

/* Queues a ping that the program sends, with `size` bytes of payload. Returns false when memory is
 * out. */
bool steady_sending_ping(struct steady_client *client, const uint8_t *data, size_t size);

/* Returns the time at which the heartbeat has something to do, in seconds of the loop's clock, or
 * INFINITY when there is none. A client that is paused or closing does not ask the peer. */
double steady_sending_heartbeat_deadline(const struct steady_client *client);

/* Does what the heartbeat has to do at the time `now`: asks the peer, or drops the link because the
 * peer has not answered. */
void steady_sending_check_heartbeat(struct steady_client *client, double now);

/* Returns the time at which the question that confirms messages has to be asked again, in seconds
 * of the loop's clock, or INFINITY when there is none. */
double steady_sending_repetition_deadline(const struct steady_client *client);

/* Asks that question again. */
void steady_sending_repeat(struct steady_client *client, double now);

#endif
