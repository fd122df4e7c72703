/* libwebsockets' part of a loop: its context, of which there is one for each loop, with what has to
 * be known about the versions of the library. */
#ifndef STEADY_LOOP_CONTEXT_H
#define STEADY_LOOP_CONTEXT_H

#include "loop/loop.h"

struct lws_protocols;
struct lws_vhost;

/* The version at run time, as "4.1.6". */
const char *steady_context_library(void);

/* Makes the loop's context with one vhost, unless they are there. protocols: what the vhost has,
 * static. NULL, or a static text that says what is wrong. */
const char *steady_context_start(struct steady_loop *loop, const struct lws_protocols *protocols);

/* The vhost; NULL: steady_context_start was not called, or has failed. */
struct lws_vhost *steady_context_vhost(struct steady_loop *loop);

/* Descriptors from this number on cannot be watched: it was the process's limit when the context
 * was made, and the library has a table of that size. 0 without a context. */
int steady_context_descriptors(struct steady_loop *loop);

#endif
