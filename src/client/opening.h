/* Begins attempts, and handles their end: an open link or a failure. */
#ifndef STEADY_CLIENT_OPENING_H
#define STEADY_CLIENT_OPENING_H

#include "client/state.h"

/* Begins the attempt that is due, and the time of connect_timeout with it. The loop's later calls
 * handle the end of the attempt, and everything that happens on the open connection. */
void steady_opening_start(struct steady_client *client);

#endif
