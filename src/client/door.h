/* The door: every call that the loop makes to a client enters and leaves through it. When the call
 * leaves, the owner gets the events that there are, what it sends goes out, and the timer is set to
 * the next deadline. So no call from the loop can forget any of that. */
#ifndef STEADY_CLIENT_DOOR_H
#define STEADY_CLIENT_DOOR_H

#include "client/state.h"

/* Returns false when the call was made from inside another one, which then does the rest. */
bool steady_door_enter(struct steady_client *client);

/* first: what steady_door_enter returned. */
void steady_door_leave(struct steady_client *client, bool first);

/* The next event for the owner: those that are queued come before messages. Returns false when
 * there is none, or when this delivery is over. The event is good until the next call. */
bool steady_door_next(struct steady_client *client, struct steady_event *event);

#endif
