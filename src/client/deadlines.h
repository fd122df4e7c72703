/* Everything that a client waits for with a limit of time: one table, one timer. */
#ifndef STEADY_CLIENT_DEADLINES_H
#define STEADY_CLIENT_DEADLINES_H

#include "client/state.h"

/* Acts on each deadline that has passed, if what came in time has been handled: see
 * steady_loop_heard. The loop has to have polled since. */
void steady_deadlines_check(struct steady_client *client);

/* Returns the earliest deadline, in the loop's seconds; INFINITY when there is none. */
double steady_deadlines_next(const struct steady_client *client);

/* Sets the client's timer to the earliest deadline. */
void steady_deadlines_arm(struct steady_client *client);

#endif
