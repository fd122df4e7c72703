/* From an attempt that is due to an open link, or to a failure. */
#ifndef STEADY_CLIENT_OPENING_H
#define STEADY_CLIENT_OPENING_H

#include "client/state.h"

/* Begins the attempt that is due, and with it connect_timeout. What becomes of it enters through
 * the door later, as does everything that happens on the open connection. */
void steady_opening_start(struct steady_client *client);

#endif
