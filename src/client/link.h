/* The open connection: how it begins, which state it is in, and how it ends. */
#ifndef STEADY_CLIENT_LINK_H
#define STEADY_CLIENT_LINK_H

#include "client/state.h"

/* Begins a link with a stream on which the server has accepted the upgrade. */
void steady_link_begin(struct steady_client *client, const struct steady_accepted *accepted,
                       const struct steady_stream_owner *calls);

/* The owner handles the OPEN event from now on. */
void steady_link_greet(struct steady_client *client);

/* The owner has handled the OPEN event: what it sent meanwhile goes before all that is queued. Does
 * nothing at any other time. */
void steady_link_end_greeting(struct steady_client *client);

/* Returns whether messages may go out: the owner has handled the OPEN event, and there is a stream.
 */
bool steady_link_can_send(const struct steady_client *client);

/* Our close frame has been queued: nothing goes out behind it. */
void steady_link_begin_closing(struct steady_client *client);

/* From now on the peer has some time to end the TCP connection. */
void steady_link_linger(struct steady_client *client);

/* The stream has ended by itself. If TLS has failed, the link has failed as well. */
void steady_link_lose_stream(struct steady_client *client);

/* Ends the stream, as if the TCP connection had ended. */
void steady_link_drop(struct steady_client *client);

/* Returns the CLOSE event that tells of the end if the connection ends now. */
struct steady_event steady_link_close_event(const struct steady_client *client, double delay);

/* Ends the link and queues its CLOSE event. Messages that had not gone out wait for the next
 * connection. Does nothing without a link. */
void steady_link_end(struct steady_client *client, double delay);

/* Frees the link without any event. */
void steady_link_free(struct steady_client *client);

/* Returns how many bytes have come that the protocol has not used yet. */
size_t steady_link_unread(const struct steady_client *client);

#endif
