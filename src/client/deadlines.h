/* Handles the deadlines of a client. One table has all of them, and one timer is set to the
 * earliest. */
#ifndef STEADY_CLIENT_DEADLINES_H
#define STEADY_CLIENT_DEADLINES_H

#include "client/state.h"

/* Acts on each deadline that has passed, provided that everything that arrived in time has been
 * handled (see steady_loop_handled_until). The loop must have polled since the deadline. */
void steady_deadlines_check(struct steady_client *client);

/* Returns the earliest deadline, in seconds of the loop's clock, or INFINITY when there is none. */
double steady_deadlines_next(const struct steady_client *client);

/* Sets the client's timer to the earliest deadline. */
void steady_deadlines_arm(struct steady_client *client);

#endif
