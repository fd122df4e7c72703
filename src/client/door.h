/* Every call that the loop makes to a client begins with steady_door_enter and ends with
 * steady_door_leave. At the end the owner gets the events that wait, what it sends goes out, and
 * the timer is set to the next deadline. So no call from the loop can forget any of that. */
#ifndef STEADY_CLIENT_DOOR_H
#define STEADY_CLIENT_DOOR_H

#include "client/state.h"

/* Begins a call from the loop. Returns false when the call was made from inside another one, which
 * then does the rest. */
bool steady_door_enter(struct steady_client *client);

/* Ends a call from the loop. `first` is what steady_door_enter returned. */
void steady_door_leave(struct steady_client *client, bool first);

/* Gives the next event for the owner; events that are queued come before messages. Returns false
 * when there is none, or when this delivery is over. The event and what it points to are valid
 * until the next call. */
bool steady_door_next(struct steady_client *client, struct steady_event *event);

#endif
