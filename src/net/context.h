/* libwebsockets' part of a loop: its context, of which there is one for each loop, with what has to
 * be known about the versions of the library. */
#ifndef STEADY_NET_CONTEXT_H
#define STEADY_NET_CONTEXT_H

#include "net/loop.h"

/* The version at run time, as "4.1.6". */
const char *steady_context_library(void);

/* Sets loop->lws. NULL, or a static text that says what is wrong. */
const char *steady_context_create(struct steady_loop *loop);

/* Runs the loop, which is to be closed. Without a context it does nothing. */
void steady_context_destroy(struct steady_loop *loop);

/* Closes what the library has left on a loop that has nothing else on it any more. */
void steady_context_close_lost(struct steady_loop *loop);

/* No context is made or destroyed in between, in any thread. */
void steady_context_lock(void);
void steady_context_unlock(void);

#endif
