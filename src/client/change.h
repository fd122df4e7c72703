/* Tells a client's session (core/session.h) what has happened, and carries out the action that the
 * session returns. Only this code changes a client's status, and only this code ends a connection.
 */
#ifndef STEADY_CLIENT_CHANGE_H
#define STEADY_CLIENT_CHANGE_H

#include "client/state.h"

/* Gives an event to the session, and carries out the action that the session returns. `delay` is
 * the argument of steady_session_handle. The owner is told what has happened first, and the new
 * status next. Returns the action. */
enum steady_session_action steady_client_change(struct steady_client *client,
                                                enum steady_session_event event, double delay);

/* Handles the failure of an attempt: queues an ERROR event and lets the owner decide what follows.
 * `message` says what went wrong; the client's name and the URL are put in front of it. `failure`
 * is what the upgrade reported, or NULL when it has reported nothing. */
void steady_client_fail_attempt(struct steady_client *client, enum steady_error error,
                                const char *message, const struct steady_failure *failure);

/* Handles the end of a connection. The link has to be LOST, and everything that arrived over it has
 * to be delivered. Lets the owner decide what follows. */
void steady_client_lose_link(struct steady_client *client);

#endif
