/* The open connection: how it begins, which state it is in, and how it ends. */
#ifndef STEADY_CLIENT_LINK_H
#define STEADY_CLIENT_LINK_H

#include "client/state.h"

/* Begins a link with a stream on which the server has accepted the upgrade. From now on the stream
 * makes `calls`, with the client as its owner. */
void steady_link_begin(struct steady_client *client, const struct steady_accepted *accepted,
                       const struct steady_stream_owner *calls);

/* Notes that the owner begins to handle the OPEN event. */
void steady_link_greet(struct steady_client *client);

/* Notes that the owner has handled the OPEN event, and puts the messages that the owner has sent
 * meanwhile in front of all that are queued. Does nothing when the link is not GREETING. */
void steady_link_end_greeting(struct steady_client *client);

/* Returns whether messages may go out. They may when the owner has handled the OPEN event and there
 * is a stream. */
bool steady_link_can_send(const struct steady_client *client);

/* Notes that we begin to close the connection. No message goes out behind our close frame. */
void steady_link_begin_closing(struct steady_client *client);

/* Gives the peer some time from now on to end the TCP connection (RFC 6455 section 7.1.1). */
void steady_link_linger(struct steady_client *client);

/* Notes that the stream has ended by itself. When TLS has failed, the link has failed as well. */
void steady_link_lose_stream(struct steady_client *client);

/* Frees the stream. The client then behaves as if the TCP connection had ended. */
void steady_link_drop(struct steady_client *client);

/* Returns the CLOSE event for a connection that ends now. `delay` is the seconds until the next
 * attempt, negative when there is none. */
struct steady_event steady_link_close_event(const struct steady_client *client, double delay);

/* Ends the link and queues its CLOSE event, which tells `delay`. Messages that have not gone out
 * wait for the next connection, and so do those that are not confirmed. Does nothing when there is
 * no link. */
void steady_link_end(struct steady_client *client, double delay);

/* Frees the link without any event. */
void steady_link_free(struct steady_client *client);

/* Returns how many bytes have arrived that the protocol has not read yet. */
size_t steady_link_unread(const struct steady_client *client);

#endif
