/* Messages that came and that no on_message took, kept for `receive`. */
#ifndef STEADY_CLIENT_INBOX_H
#define STEADY_CLIENT_INBOX_H

#include "client/state.h"

/* Keeps the message of a MESSAGE event. Returns false when there is no memory for it. */
bool steady_inbox_keep(struct steady_client *client, const struct steady_event *event);

/* Returns whether another message may be kept. */
bool steady_inbox_has_room(const struct steady_client *client);

/* Return the oldest message that was kept, or NULL when there is none; and remove it. */
const struct steady_message *steady_inbox_peek(struct steady_client *client);
void steady_inbox_drop(struct steady_client *client);

#endif
