/* The open connection: how it begins, which state it is in, and how it ends. */
#ifndef STEADY_CLIENT_LINK_H
#define STEADY_CLIENT_LINK_H

#include "client/state.h"

/* Begins with a stream on which the server has accepted the upgrade. */
void steady_link_begin(struct steady_client *client, const struct steady_accepted *accepted,
                       const struct steady_stream_owner *calls);

/* The OPEN event is with the owner from now on. */
void steady_link_greet(struct steady_client *client);

/* The owner has handled the OPEN event: what it sent meanwhile goes before all that is queued. Does
 * nothing at any other time. */
void steady_link_end_greeting(struct steady_client *client);

/* Messages may go out: the link has been greeted and has a stream. */
bool steady_link_can_send(const struct steady_client *client);

/* Our close frame has been queued: nothing goes out behind it. */
void steady_link_begin_closing(struct steady_client *client);

/* The peer may take so long to end TCP. */
void steady_link_linger(struct steady_client *client);

/* The stream has ended by itself; where TLS has failed, so has the link. */
void steady_link_lose_stream(struct steady_client *client);

/* The stream is ended here, as if TCP had. */
void steady_link_drop(struct steady_client *client);

/* The CLOSE event, were the connection to end now. */
struct steady_event steady_link_close_event(const struct steady_client *client, double delay);

/* The connection is over: tells CLOSE. What had not gone out waits for the next one. Does nothing
 * without a link. */
void steady_link_end(struct steady_client *client, double delay);

/* Ends everything without a word. */
void steady_link_free(struct steady_client *client);

/* Bytes that came and were not looked at yet. */
size_t steady_link_unread(const struct steady_client *client);

#endif
