/* Checks what must be true for a client between any two calls. Only builds for development, which
 * define STEADY_INVARIANTS, check that after each call. */
#ifndef STEADY_CLIENT_INVARIANTS_H
#define STEADY_CLIENT_INVARIANTS_H

#include "client/state.h"

#ifdef STEADY_INVARIANTS
/* Ends the program when something that must be true is not. `next` is the earliest deadline, in
 * seconds of the loop's clock, or INFINITY when there is none. */
void steady_client_check(const struct steady_client *client, double next);
#else
#define steady_client_check(client, next) ((void)0) /* the arguments are not evaluated */
#endif

#endif
