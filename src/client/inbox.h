/* Keeps the messages that arrive while the owner has no on_message handler, until `receive` takes
 * them. */
#ifndef STEADY_CLIENT_INBOX_H
#define STEADY_CLIENT_INBOX_H

#include "client/state.h"

/* Keeps a copy of the message of a MESSAGE event. Returns false when memory is out. */
bool steady_inbox_keep(struct steady_client *client, const struct steady_event *event);

/* Returns whether another message may be kept. */
bool steady_inbox_has_room(const struct steady_client *client);

/* steady_inbox_peek returns the oldest message that was kept, or NULL when there is none.
 * steady_inbox_drop removes that message. */
const struct steady_message *steady_inbox_peek(struct steady_client *client);
void steady_inbox_drop(struct steady_client *client);

#endif
