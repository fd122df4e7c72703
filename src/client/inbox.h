/* Messages that came and that no on_message took, kept for `receive`. */
#ifndef STEADY_CLIENT_INBOX_H
#define STEADY_CLIENT_INBOX_H

#include "client/state.h"

/* Keeps the message of a MESSAGE event. False: out of memory. */
bool steady_inbox_keep(struct steady_client *client, const struct steady_event *event);

/* Whether another message may be kept. */
bool steady_inbox_has_room(const struct steady_client *client);

/* The oldest message that was kept; NULL: there is none. And its removal. */
const struct steady_message *steady_inbox_peek(struct steady_client *client);
void steady_inbox_drop(struct steady_client *client);

#endif
