/* What happens to a client becomes an event of its session, and what the session answers is carried
 * out: the one place where a status changes, and where an attempt or a connection ends. */
#ifndef STEADY_CLIENT_CHANGE_H
#define STEADY_CLIENT_CHANGE_H

#include "client/state.h"

/* Tells the session what happened and carries out what it answers. delay: see
 * steady_session_handle. The owner hears what happened first, the new status next. */
enum steady_session_action steady_client_change(struct steady_client *client,
                                                enum steady_session_event event, double delay);

/* The attempt has failed. failure: what the upgrade reported, or NULL. */
void steady_client_fail_attempt(struct steady_client *client, enum steady_error error,
                                const char *message, const struct steady_failure *failure);

/* The link is LOST, and all that came over it has been delivered. */
void steady_client_lose_link(struct steady_client *client);

#endif
