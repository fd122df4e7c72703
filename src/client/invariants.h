/* What holds between any two calls to a client. Builds for development check it after each call
 * (STEADY_INVARIANTS); others do not. */
#ifndef STEADY_CLIENT_INVARIANTS_H
#define STEADY_CLIENT_INVARIANTS_H

#include "client/state.h"

#ifdef STEADY_INVARIANTS
/* Ends the program when something does not hold. next: the earliest deadline; INFINITY: none. */
void steady_client_check(const struct steady_client *client, double next);
#else
#define steady_client_check(client, next) ((void)0) /* the arguments cost nothing either */
#endif

#endif
